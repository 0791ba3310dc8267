-- Openings with an end, days off and limits; wishes and needs of bookings; channels besides the telephone; what an undo
-- needs; instructions in several languages; the handover of a queue. Columns are added, none is changed.

ALTER TABLE desk ADD COLUMN reference_version INTEGER NOT NULL DEFAULT 1;  -- goes up when a supervisor edits a rule
ALTER TABLE desk ADD COLUMN release_reserve_percent INTEGER NOT NULL DEFAULT 0 CHECK (release_reserve_percent BETWEEN 0 AND 100);
ALTER TABLE desk ADD COLUMN channels TEXT NOT NULL DEFAULT '["letter", "gp", "next_of_kin"]';
ALTER TABLE desk ADD COLUMN channel_wait_seconds INTEGER NOT NULL DEFAULT 864000 CHECK (channel_wait_seconds >= 0);
ALTER TABLE desk ADD COLUMN undo_seconds INTEGER NOT NULL DEFAULT 900 CHECK (undo_seconds >= 0);
ALTER TABLE desk ADD COLUMN absent_seconds INTEGER NOT NULL DEFAULT 1800 CHECK (absent_seconds > 0);
ALTER TABLE desk ADD COLUMN near_limit_days INTEGER NOT NULL DEFAULT 7 CHECK (near_limit_days > 0);
ALTER TABLE desk ADD COLUMN coverage_alarm_percent INTEGER NOT NULL DEFAULT 80 CHECK (coverage_alarm_percent BETWEEN 0 AND 100);
ALTER TABLE desk ADD COLUMN closed_at TEXT;
ALTER TABLE desk ADD COLUMN closed_by INTEGER REFERENCES agent (id);

-- What a day of a service can take only so many of: implants, an isolation room. words: texts of a procedure that need it.
CREATE TABLE capacity_limit (code TEXT PRIMARY KEY, position INTEGER NOT NULL, words TEXT NOT NULL DEFAULT '[]') STRICT;

-- cap_a_day: attempts of this kind on one number a day. channel: who acts instead of a clinician after 'review'.
ALTER TABLE disposition ADD COLUMN cap_a_day INTEGER CHECK (cap_a_day > 0);
ALTER TABLE disposition ADD COLUMN channel TEXT NOT NULL DEFAULT '' CHECK (channel IN ('', 'letter', 'gp', 'next_of_kin'));
ALTER TABLE disposition ADD COLUMN needs_permission INTEGER NOT NULL DEFAULT 0 CHECK (needs_permission IN (0, 1));

ALTER TABLE agent ADD COLUMN seen_at TEXT;

-- may_tell: what may be said to others who answer; 'named' is the person of may_tell_who and nobody else.
ALTER TABLE patient ADD COLUMN may_tell TEXT NOT NULL DEFAULT 'unknown' CHECK (may_tell IN ('unknown', 'none', 'named'));
ALTER TABLE patient ADD COLUMN may_tell_who TEXT NOT NULL DEFAULT '';
ALTER TABLE patient ADD COLUMN gp TEXT NOT NULL DEFAULT '';
ALTER TABLE patient ADD COLUMN next_of_kin TEXT NOT NULL DEFAULT '';

-- A row holds from opens_on until until_on (both included); with an end, what held before holds again afterwards.
ALTER TABLE opening ADD COLUMN until_on TEXT;
ALTER TABLE opening ADD COLUMN includes_days_off INTEGER NOT NULL DEFAULT 0 CHECK (includes_days_off IN (0, 1));
ALTER TABLE opening ADD COLUMN rooms INTEGER CHECK (rooms > 0);
ALTER TABLE opening ADD COLUMN limits TEXT NOT NULL DEFAULT '{}';  -- capacity_limit.code -> places a day

-- needs: codes of capacity_limit; null follows the words of the procedure. wish: when the patient can come.
ALTER TABLE postponement ADD COLUMN needs TEXT;
ALTER TABLE postponement ADD COLUMN wish TEXT NOT NULL DEFAULT '{}';
ALTER TABLE postponement ADD COLUMN is_reserve INTEGER NOT NULL DEFAULT 0 CHECK (is_reserve IN (0, 1));
ALTER TABLE postponement ADD COLUMN priority_at TEXT;
ALTER TABLE postponement ADD COLUMN priority_listed TEXT;  -- what the newest list says where a clinician said otherwise
ALTER TABLE postponement ADD COLUMN handed_over_at TEXT;
-- Covers the count of coverage by site, care type and week: 8 times faster at 200,000 rows than with the table.
DROP INDEX postponement_site;
CREATE INDEX postponement_site ON postponement (
  site_id, service_id, kind, original_on, matched_to_id, done_at, rebooked_at, decided_at, reached_at, tried_at, created_at,
  handed_over_at, decision, patient_id
);
CREATE INDEX patient_dead ON patient (id) WHERE death_confirmed_by IS NOT NULL;
ALTER TABLE booking ADD COLUMN needs TEXT NOT NULL DEFAULT '[]';
ALTER TABLE booking ADD COLUMN withdrawn_by INTEGER REFERENCES agent (id);
ALTER TABLE booking ADD COLUMN withdrawn_opening_id INTEGER REFERENCES opening (id);
CREATE INDEX booking_withdrawn ON booking (service_id, withdrawn_at) WHERE state = 'withdrawn';
CREATE INDEX postponement_reserve ON postponement (service_id) WHERE is_reserve = 1;

-- channel: what is done away from the telephone while the callback is on hold for a review. channels_done: codes.
ALTER TABLE callback ADD COLUMN channel TEXT NOT NULL DEFAULT '' CHECK (channel IN ('', 'letter', 'gp', 'next_of_kin'));
ALTER TABLE callback ADD COLUMN channels_done TEXT NOT NULL DEFAULT '[]';
-- asked_at: when the patient last asked, or was promised, to be rung: that outlives the settling of what it was about.
ALTER TABLE callback ADD COLUMN asked_at TEXT;
UPDATE callback SET asked_at = released_at WHERE release_why IN ('promised', 'escalated');
-- The first who wait for an opening, and those who were released, without reading all the others.
CREATE INDEX callback_unreleased ON callback (site_id, tier, due_at, id)
  WHERE state <> 'closed' AND released_at IS NULL AND hold = '';
CREATE INDEX callback_released ON callback (site_id, tier, due_at, id)
  WHERE state <> 'closed' AND released_at IS NOT NULL AND hold = '';
CREATE INDEX callback_personal ON callback (for_agent_id) WHERE for_agent_id IS NOT NULL AND state <> 'closed';

-- before: what the attempt changed, as it was (see store/undo). An undone attempt stays and counts nowhere.
ALTER TABLE attempt ADD COLUMN before TEXT NOT NULL DEFAULT '{}';
ALTER TABLE attempt ADD COLUMN undone_at TEXT;
ALTER TABLE attempt ADD COLUMN undone_by INTEGER REFERENCES agent (id);
ALTER TABLE attempt ADD COLUMN undone_why TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN corrects_id INTEGER REFERENCES attempt (id);
CREATE INDEX attempt_agent ON attempt (agent_id, started_at);
CREATE INDEX attempt_instruction ON attempt (instruction_id) WHERE instruction_id IS NOT NULL;
CREATE INDEX call_instruction ON call (instruction_id) WHERE instruction_id IS NOT NULL;

-- Words of an instruction in other languages than the desk's first one: language -> words.
ALTER TABLE instruction ADD COLUMN translations TEXT NOT NULL DEFAULT '{}';
-- Whom the desk rings because they were told an instruction that changed. The patient is that of the callback, also after
-- a merge; told_at is the contact in which they were told, so that nobody is rung twice for the same one.
CREATE TABLE retelling (
  instruction_id INTEGER NOT NULL REFERENCES instruction (id), callback_id INTEGER NOT NULL REFERENCES callback (id),
  told_at TEXT NOT NULL, was_read_out INTEGER NOT NULL CHECK (was_read_out IN (0, 1)), reason TEXT NOT NULL DEFAULT '',
  made_by INTEGER NOT NULL REFERENCES agent (id), made_at TEXT NOT NULL,
  PRIMARY KEY (instruction_id, callback_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX retelling_callback ON retelling (callback_id);

-- A signed list of open items for the service's own secretariat; each item stays the desk's until it is acknowledged.
-- Without a site: what belongs to none. content: the line as it was signed, column -> text.
CREATE TABLE handover (
  id INTEGER PRIMARY KEY, site_id TEXT REFERENCES site (id), service_id INTEGER REFERENCES service (id),
  reason TEXT NOT NULL DEFAULT '', made_by INTEGER NOT NULL REFERENCES agent (id), made_at TEXT NOT NULL,
  sha256 TEXT NOT NULL DEFAULT '', journal_seq INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE handover_item (
  handover_id INTEGER NOT NULL REFERENCES handover (id), postponement_id INTEGER NOT NULL REFERENCES postponement (id),
  position INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'offered' CHECK (state IN ('offered', 'acknowledged', 'refused')),
  answered_by TEXT NOT NULL DEFAULT '', answered_at TEXT, entered_by INTEGER REFERENCES agent (id), note TEXT NOT NULL DEFAULT '',
  content TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (handover_id, postponement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX handover_item_postponement ON handover_item (postponement_id);
