-- The first schema. Instants are UTC text 'YYYY-MM-DD HH:MM:SS.ffffff' (sorts as time), dates 'YYYY-MM-DD', times 'HH:MM:SS.ffffff'.
-- Booleans are 0 or 1. JSON is text. Every table is STRICT.

-- ---------------------------------------------------------------- reference data, loaded once by init
CREATE TABLE desk (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  name TEXT NOT NULL, incident TEXT NOT NULL, incident_at TEXT NOT NULL,
  country TEXT NOT NULL, time_zone TEXT NOT NULL, languages TEXT NOT NULL,
  national_number TEXT NOT NULL, neighbour_regions TEXT NOT NULL,
  calls_from TEXT NOT NULL, calls_until TEXT NOT NULL, call_weekdays TEXT NOT NULL,
  lease_seconds INTEGER NOT NULL CHECK (lease_seconds > 0),
  rest_seconds INTEGER NOT NULL CHECK (rest_seconds >= 0),
  attempts_per_number_a_day INTEGER NOT NULL CHECK (attempts_per_number_a_day > 0),
  attempts_in_all INTEGER NOT NULL CHECK (attempts_in_all > 0),
  release_days_ahead INTEGER NOT NULL CHECK (release_days_ahead > 0),
  public_number TEXT NOT NULL, holidays TEXT NOT NULL DEFAULT '[]',
  is_demo INTEGER NOT NULL DEFAULT 0 CHECK (is_demo IN (0, 1)),
  clock_shift_seconds INTEGER NOT NULL DEFAULT 0 CHECK (is_demo = 1 OR clock_shift_seconds = 0),
  opened_at TEXT NOT NULL
) STRICT;

CREATE TABLE site (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, name TEXT NOT NULL, hospital TEXT NOT NULL, postcode TEXT NOT NULL,
  phone TEXT NOT NULL DEFAULT '', on_call_phone TEXT NOT NULL DEFAULT '', aliases TEXT NOT NULL DEFAULT '[]',
  phone_prefix TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE service (
  id INTEGER PRIMARY KEY, site_id TEXT NOT NULL REFERENCES site (id), position INTEGER NOT NULL,
  code TEXT NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('surgery', 'consultation', 'exam', 'day_hospital', 'lab')),
  name TEXT NOT NULL, is_protected INTEGER NOT NULL DEFAULT 0 CHECK (is_protected IN (0, 1)),
  lead_days INTEGER NOT NULL DEFAULT 0 CHECK (lead_days >= 0), aliases TEXT NOT NULL DEFAULT '[]',
  UNIQUE (site_id, code)
) STRICT;

CREATE TABLE topic (
  code TEXT PRIMARY KEY, position INTEGER NOT NULL, key TEXT NOT NULL,
  concerns_postponement INTEGER NOT NULL CHECK (concerns_postponement IN (0, 1))
) STRICT;

CREATE TABLE caller_kind (
  code TEXT PRIMARY KEY, position INTEGER NOT NULL, key TEXT NOT NULL,
  is_patient INTEGER NOT NULL CHECK (is_patient IN (0, 1)), asks_relation INTEGER NOT NULL CHECK (asks_relation IN (0, 1))
) STRICT;

CREATE TABLE disposition (
  scope TEXT NOT NULL CHECK (scope IN ('inbound', 'attempt', 'item')), code TEXT NOT NULL, position INTEGER NOT NULL, key TEXT NOT NULL,
  is_final INTEGER NOT NULL CHECK (is_final IN (0, 1)),
  reach TEXT NOT NULL CHECK (reach IN ('nobody', 'third_party', 'patient')),
  next_step TEXT NOT NULL CHECK (next_step IN ('close', 'retry', 'next_number', 'at_time', 'review', 'escalate', 'confirm', 'opening')),
  delay_seconds INTEGER CHECK (delay_seconds >= 0),
  other_part_of_day INTEGER NOT NULL CHECK (other_part_of_day IN (0, 1)),
  cap INTEGER CHECK (cap > 0), coverage TEXT,
  needs_note INTEGER NOT NULL CHECK (needs_note IN (0, 1)), needs_clinician INTEGER NOT NULL CHECK (needs_clinician IN (0, 1)),
  is_quick INTEGER NOT NULL CHECK (is_quick IN (0, 1)), makes_callback INTEGER NOT NULL CHECK (makes_callback IN (0, 1)),
  PRIMARY KEY (scope, code)
) STRICT;

CREATE TABLE red_flag (
  code TEXT PRIMARY KEY, position INTEGER NOT NULL, key TEXT NOT NULL,
  way_out TEXT NOT NULL CHECK (way_out IN ('emergency', 'urgent_care', 'on_call')), signed_off_by TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE priority_limit (code TEXT PRIMARY KEY, position INTEGER NOT NULL, limit_seconds INTEGER NOT NULL CHECK (limit_seconds > 0)) STRICT;

CREATE TABLE column_name (field TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (field, name)) STRICT;

CREATE TABLE label (
  kind TEXT NOT NULL, code TEXT NOT NULL, language TEXT NOT NULL, words TEXT NOT NULL, PRIMARY KEY (kind, code, language)
) STRICT;

-- ---------------------------------------------------------------- people at the desk
CREATE TABLE agent (
  id INTEGER PRIMARY KEY, login TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('agent', 'supervisor', 'auditor', 'admin')),
  language TEXT NOT NULL DEFAULT '', is_active INTEGER NOT NULL DEFAULT 1 CHECK (is_active IN (0, 1)), created_at TEXT NOT NULL
) STRICT;

CREATE TABLE draft (
  uid TEXT PRIMARY KEY, agent_id INTEGER NOT NULL REFERENCES agent (id), kind TEXT NOT NULL,
  fields TEXT NOT NULL, started_at TEXT NOT NULL, saved_at TEXT NOT NULL
) STRICT;
CREATE INDEX draft_agent ON draft (agent_id, saved_at);

-- ---------------------------------------------------------------- patients
-- AUTOINCREMENT, here and for postponements: an import reserves its ids before it is seen (store/staging.py: reserve).
-- name_key and first_key are folded (domain.text.fold); merged_into_id points to the patient that stands for this one.
CREATE TABLE patient (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  last_name TEXT NOT NULL DEFAULT '', first_name TEXT NOT NULL DEFAULT '', full_name TEXT NOT NULL DEFAULT '',
  name_key TEXT NOT NULL DEFAULT '', first_key TEXT NOT NULL DEFAULT '',
  birth_on TEXT, is_birth_guessed INTEGER NOT NULL DEFAULT 0 CHECK (is_birth_guessed IN (0, 1)),
  niss TEXT, record_number TEXT NOT NULL DEFAULT '', postcode TEXT NOT NULL DEFAULT '', town TEXT NOT NULL DEFAULT '',
  language TEXT NOT NULL DEFAULT '',
  voicemail TEXT NOT NULL DEFAULT 'unknown' CHECK (voicemail IN ('unknown', 'none', 'identified')),
  contact_note TEXT NOT NULL DEFAULT '',
  proof TEXT NOT NULL DEFAULT '',
  is_provisional INTEGER NOT NULL DEFAULT 0 CHECK (is_provisional IN (0, 1)),
  death_reported_at TEXT, death_reported_by INTEGER REFERENCES agent (id), death_confirmed_by INTEGER REFERENCES agent (id),
  merged_into_id INTEGER REFERENCES patient (id),
  created_at TEXT NOT NULL
) STRICT;
CREATE INDEX patient_name ON patient (name_key, first_key) WHERE merged_into_id IS NULL;
CREATE INDEX patient_first ON patient (first_key, name_key) WHERE merged_into_id IS NULL;
CREATE INDEX patient_birth ON patient (birth_on) WHERE merged_into_id IS NULL;
CREATE INDEX patient_niss ON patient (niss) WHERE niss IS NOT NULL;

-- Every word of a name, folded, for names given in another order or only in part.
CREATE TABLE patient_word (patient_id INTEGER NOT NULL REFERENCES patient (id), word TEXT NOT NULL, PRIMARY KEY (word, patient_id)) STRICT, WITHOUT ROWID;
CREATE INDEX patient_word_patient ON patient_word (patient_id);

-- reversed is the number's digits backwards: agents hear the end of a number best.
CREATE TABLE phone (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient (id), position INTEGER NOT NULL DEFAULT 0,
  number TEXT NOT NULL, reversed TEXT NOT NULL, comment TEXT NOT NULL DEFAULT '',
  is_guessed INTEGER NOT NULL DEFAULT 0 CHECK (is_guessed IN (0, 1)), found_wrong_at TEXT, added_at TEXT NOT NULL,
  UNIQUE (patient_id, number)
) STRICT;
CREATE INDEX phone_reversed ON phone (reversed);
CREATE INDEX phone_number ON phone (number);

-- Two records that may be one person; a person decides, and may undo it (moved keeps what a merge moved).
CREATE TABLE likeness (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient (id), other_id INTEGER NOT NULL REFERENCES patient (id),
  strength TEXT NOT NULL CHECK (strength IN ('certain', 'strong', 'fair', 'weak')), why TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'proposed' CHECK (state IN ('proposed', 'merged', 'refused', 'split')),
  moved TEXT NOT NULL DEFAULT '{}', decided_by INTEGER REFERENCES agent (id), decided_at TEXT, proposed_at TEXT NOT NULL,
  UNIQUE (patient_id, other_id), CHECK (patient_id <> other_id)
) STRICT;

-- ---------------------------------------------------------------- lists
CREATE TABLE layout (
  layout_key TEXT PRIMARY KEY, mapping TEXT NOT NULL, agent_id INTEGER REFERENCES agent (id), saved_at TEXT NOT NULL
) STRICT;

-- One version of one list. series_key ties the versions of a list together. Invisible to everybody while published_at is null.
CREATE TABLE source_file (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, series_key TEXT NOT NULL, layout_key TEXT NOT NULL,
  earlier_id INTEGER REFERENCES source_file (id), encoding TEXT NOT NULL, site_id TEXT REFERENCES site (id), kind TEXT,
  counts TEXT NOT NULL DEFAULT '{}', warnings TEXT NOT NULL DEFAULT '[]', options TEXT NOT NULL DEFAULT '{}',
  agent_id INTEGER REFERENCES agent (id), staged_at TEXT NOT NULL, published_at TEXT
) STRICT;
CREATE UNIQUE INDEX source_file_once ON source_file (sha256, options) WHERE published_at IS NOT NULL;

-- What was concluded of each record of each version; keeps the cells as they were.
-- patient_id and postponement_id may be reserved ones while the version is not published: no foreign keys, therefore.
CREATE TABLE import_row (
  id INTEGER PRIMARY KEY, source_file_id INTEGER NOT NULL REFERENCES source_file (id) ON DELETE CASCADE,
  sheet TEXT, row INTEGER NOT NULL, first_line INTEGER, last_line INTEGER,
  status TEXT NOT NULL CHECK (status IN ('accepted', 'accepted_with_warnings', 'duplicate', 'rejected', 'ignored')),
  codes TEXT NOT NULL DEFAULT '[]', duplicate_of INTEGER, fields TEXT NOT NULL DEFAULT '{}', cells TEXT NOT NULL DEFAULT '[]',
  item_key TEXT NOT NULL DEFAULT '', patient_id INTEGER, patient_why TEXT NOT NULL DEFAULT '',
  postponement_id INTEGER, change TEXT CHECK (change IN ('added', 'changed', 'same')), changed TEXT NOT NULL DEFAULT '{}'
) STRICT;
CREATE INDEX import_row_file ON import_row (source_file_id, row);
CREATE INDEX import_row_patient ON import_row (patient_id) WHERE patient_id IS NOT NULL;
CREATE INDEX import_row_postponement ON import_row (postponement_id) WHERE postponement_id IS NOT NULL;

-- ---------------------------------------------------------------- postponements
-- original_on is the date the wait is counted from; it is written once. planned_on may follow a later version of the list.
-- tried_at .. done_at are facts; the coverage class is the furthest one that is set (see store/coverage).
CREATE TABLE postponement (
  id INTEGER PRIMARY KEY AUTOINCREMENT, patient_id INTEGER NOT NULL REFERENCES patient (id), site_id TEXT REFERENCES site (id),
  service_id INTEGER REFERENCES service (id), service_name TEXT NOT NULL DEFAULT '', kind TEXT,
  procedure TEXT NOT NULL DEFAULT '', clinician TEXT NOT NULL DEFAULT '', room TEXT NOT NULL DEFAULT '', remark TEXT NOT NULL DEFAULT '',
  original_on TEXT, planned_on TEXT, planned_time TEXT,
  priority TEXT CHECK (priority IN ('P1a', 'P1b', 'P2', 'P3', 'P4', 'P5', 'P6')), priority_said TEXT NOT NULL DEFAULT '', priority_by TEXT NOT NULL DEFAULT '',
  is_protected INTEGER NOT NULL DEFAULT 0 CHECK (is_protected IN (0, 1)),
  source TEXT NOT NULL CHECK (source IN ('list', 'caller')), item_key TEXT NOT NULL DEFAULT '',
  reported_in_call_id INTEGER REFERENCES call (id), matched_to_id INTEGER REFERENCES postponement (id),
  missing_since_id INTEGER REFERENCES source_file (id),
  tried_at TEXT, reached_at TEXT, decided_at TEXT, rebooked_at TEXT, done_at TEXT,
  decision TEXT NOT NULL DEFAULT '', decided_by TEXT NOT NULL DEFAULT '', created_at TEXT NOT NULL
) STRICT;
CREATE INDEX postponement_patient ON postponement (patient_id);
-- Covers the count of coverage: read in order without touching the table, 7 times faster at 200,000 rows.
CREATE INDEX postponement_site ON postponement (
  site_id, service_id, matched_to_id, done_at, rebooked_at, decided_at, reached_at, tried_at, created_at
);
CREATE INDEX postponement_item ON postponement (item_key) WHERE item_key <> '';

-- What one import is about to bring, written in small transactions and moved by one statement a table when all of it is
-- there. No reader knows these tables, so nobody sees half a list; they are empty while no import runs.
CREATE TABLE staged_patient (
  id INTEGER PRIMARY KEY, last_name TEXT NOT NULL, first_name TEXT NOT NULL, full_name TEXT NOT NULL,
  name_key TEXT NOT NULL, first_key TEXT NOT NULL, birth_on TEXT, is_birth_guessed INTEGER NOT NULL, niss TEXT,
  record_number TEXT NOT NULL, postcode TEXT NOT NULL, town TEXT NOT NULL, contact_note TEXT NOT NULL
) STRICT;
CREATE TABLE staged_word (word TEXT NOT NULL, patient_id INTEGER NOT NULL, PRIMARY KEY (word, patient_id)) STRICT, WITHOUT ROWID;
CREATE TABLE staged_phone (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL, position INTEGER NOT NULL, number TEXT NOT NULL,
  reversed TEXT NOT NULL, comment TEXT NOT NULL, is_guessed INTEGER NOT NULL
) STRICT;
CREATE TABLE staged_postponement (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL, site_id TEXT, service_id INTEGER, service_name TEXT NOT NULL,
  kind TEXT, procedure TEXT NOT NULL, clinician TEXT NOT NULL, room TEXT NOT NULL, remark TEXT NOT NULL,
  planned_on TEXT, planned_time TEXT, priority TEXT, priority_said TEXT NOT NULL, is_protected INTEGER NOT NULL,
  callback_id INTEGER  -- of staged_callback; null where the patient is known or the site is not
) STRICT;
CREATE TABLE staged_callback (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL, site_id TEXT NOT NULL, tier INTEGER NOT NULL,
  due_at TEXT NOT NULL, why TEXT NOT NULL, is_protected INTEGER NOT NULL
) STRICT;

-- ---------------------------------------------------------------- calls
CREATE TABLE instruction (
  id INTEGER PRIMARY KEY, site_id TEXT REFERENCES site (id), service_id INTEGER REFERENCES service (id), topic TEXT REFERENCES topic (code),
  version INTEGER NOT NULL DEFAULT 1, words TEXT NOT NULL,
  valid_from TEXT NOT NULL, valid_until TEXT, replaces_id INTEGER REFERENCES instruction (id), issued_by TEXT NOT NULL, issued_at TEXT NOT NULL
) STRICT;
CREATE INDEX instruction_site ON instruction (site_id, valid_from);

-- uid is made by the client: a save that is sent twice is stored once. number counts up and gives the spoken reference.
CREATE TABLE call (
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, number INTEGER NOT NULL UNIQUE, reference TEXT NOT NULL UNIQUE,
  started_at TEXT NOT NULL, ended_at TEXT, entered_at TEXT NOT NULL,
  taken_by INTEGER REFERENCES agent (id), taken_by_name TEXT NOT NULL DEFAULT '', entered_by INTEGER NOT NULL REFERENCES agent (id), slip_number TEXT NOT NULL DEFAULT '',
  caller_phone TEXT, caller_phone_said TEXT NOT NULL DEFAULT '', is_withheld INTEGER NOT NULL DEFAULT 0 CHECK (is_withheld IN (0, 1)),
  caller_name TEXT NOT NULL DEFAULT '', caller_kind TEXT REFERENCES caller_kind (code), relation TEXT NOT NULL DEFAULT '', language TEXT NOT NULL DEFAULT '',
  site_id TEXT REFERENCES site (id), topic TEXT REFERENCES topic (code), words TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '',
  red_flag TEXT REFERENCES red_flag (code), way_out TEXT NOT NULL DEFAULT '',
  instruction_id INTEGER REFERENCES instruction (id), was_read_out INTEGER NOT NULL DEFAULT 0 CHECK (was_read_out IN (0, 1)),
  disposition TEXT NOT NULL, wish TEXT NOT NULL DEFAULT '{}', reversed_phone TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX call_started ON call (started_at);
CREATE INDEX call_slip ON call (slip_number) WHERE slip_number <> '';
CREATE INDEX call_phone ON call (reversed_phone) WHERE reversed_phone <> '';

CREATE TABLE call_patient (call_id INTEGER NOT NULL REFERENCES call (id), patient_id INTEGER NOT NULL REFERENCES patient (id), PRIMARY KEY (call_id, patient_id)) STRICT, WITHOUT ROWID;
CREATE INDEX call_patient_patient ON call_patient (patient_id);

CREATE TABLE call_item (
  call_id INTEGER NOT NULL REFERENCES call (id), postponement_id INTEGER NOT NULL REFERENCES postponement (id), disposition TEXT, PRIMARY KEY (call_id, postponement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_item_postponement ON call_item (postponement_id);

-- ---------------------------------------------------------------- callbacks
-- One open callback a patient and site. due_at is stored because it does not change as time passes.
CREATE TABLE callback (
  id INTEGER PRIMARY KEY, patient_id INTEGER NOT NULL REFERENCES patient (id), site_id TEXT NOT NULL REFERENCES site (id),
  state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'leased', 'closed')),
  tier INTEGER NOT NULL CHECK (tier IN (0, 1, 2)), due_at TEXT NOT NULL, why TEXT NOT NULL DEFAULT '{}',
  released_at TEXT, release_why TEXT NOT NULL DEFAULT '', not_before TEXT, promised_from TEXT, promised_until TEXT,
  part_of_day TEXT NOT NULL DEFAULT 'any' CHECK (part_of_day IN ('any', 'morning', 'afternoon', 'evening')),
  number TEXT NOT NULL DEFAULT '', hold TEXT NOT NULL DEFAULT '' CHECK (hold IN ('', 'review', 'number_search', 'confirm_death')),
  for_agent_id INTEGER REFERENCES agent (id),
  attempts INTEGER NOT NULL DEFAULT 0, unanswered INTEGER NOT NULL DEFAULT 0, last_attempt_at TEXT,
  leased_by INTEGER REFERENCES agent (id), leased_at TEXT, lease_until TEXT, generation INTEGER NOT NULL DEFAULT 0,
  made_in_call_id INTEGER REFERENCES call (id), note TEXT NOT NULL DEFAULT '',
  created_at TEXT NOT NULL, closed_at TEXT, closed_by INTEGER REFERENCES agent (id), closed_as TEXT NOT NULL DEFAULT '',
  CHECK ((state = 'leased') = (leased_by IS NOT NULL)), CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX callback_one_open ON callback (patient_id, site_id) WHERE state <> 'closed';
CREATE INDEX callback_next ON callback (site_id, tier, due_at, id) WHERE state = 'waiting' AND released_at IS NOT NULL;
CREATE INDEX callback_site ON callback (site_id, tier, due_at, id) WHERE state <> 'closed';
CREATE INDEX callback_lease ON callback (lease_until) WHERE state = 'leased';
CREATE INDEX callback_patient ON callback (patient_id);

CREATE TABLE callback_item (
  callback_id INTEGER NOT NULL REFERENCES callback (id), postponement_id INTEGER NOT NULL REFERENCES postponement (id), added_at TEXT NOT NULL, PRIMARY KEY (callback_id, postponement_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX callback_item_postponement ON callback_item (postponement_id);

CREATE TABLE attempt (
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, callback_id INTEGER NOT NULL REFERENCES callback (id), agent_id INTEGER NOT NULL REFERENCES agent (id), generation INTEGER NOT NULL,
  number TEXT NOT NULL DEFAULT '', started_at TEXT NOT NULL, ended_at TEXT NOT NULL, entered_at TEXT NOT NULL,
  disposition TEXT NOT NULL, reach TEXT NOT NULL CHECK (reach IN ('nobody', 'third_party', 'patient')), note TEXT NOT NULL DEFAULT '',
  next_at TEXT, next_step TEXT NOT NULL, instruction_id INTEGER REFERENCES instruction (id), was_read_out INTEGER NOT NULL DEFAULT 0 CHECK (was_read_out IN (0, 1)),
  -- the promise that this attempt kept or broke; the callback itself holds only one that is still to be kept
  promised_from TEXT, promised_until TEXT
) STRICT;
CREATE INDEX attempt_callback ON attempt (callback_id);
CREATE INDEX attempt_number ON attempt (number, started_at) WHERE number <> '';
CREATE INDEX attempt_started ON attempt (started_at);
CREATE INDEX attempt_promised ON attempt (promised_until) WHERE promised_until IS NOT NULL;

CREATE TABLE attempt_item (
  attempt_id INTEGER NOT NULL REFERENCES attempt (id), postponement_id INTEGER NOT NULL REFERENCES postponement (id), disposition TEXT NOT NULL, PRIMARY KEY (attempt_id, postponement_id)
) STRICT, WITHOUT ROWID;

-- ---------------------------------------------------------------- openings, slots
-- Append only: the newest row that is not withdrawn, by (service, id), is in force; the older ones are its history.
CREATE TABLE opening (
  id INTEGER PRIMARY KEY, service_id INTEGER NOT NULL REFERENCES service (id),
  stage TEXT NOT NULL CHECK (stage IN ('planned', 'revised', 'actual', 'withdrawn')),
  state TEXT NOT NULL CHECK (state IN ('closed', 'partial', 'open')), opens_on TEXT NOT NULL,
  capacity_a_day INTEGER CHECK (capacity_a_day >= 0), reason TEXT NOT NULL DEFAULT '',
  agent_id INTEGER REFERENCES agent (id), entered_at TEXT NOT NULL
) STRICT;
CREATE INDEX opening_service ON opening (service_id, id);

CREATE TABLE booking (
  id INTEGER PRIMARY KEY, postponement_id INTEGER NOT NULL REFERENCES postponement (id), service_id INTEGER NOT NULL REFERENCES service (id), slot_on TEXT NOT NULL, slot_time TEXT,
  state TEXT NOT NULL CHECK (state IN ('told', 'withdrawn', 'done')), told_at TEXT NOT NULL, agent_id INTEGER NOT NULL REFERENCES agent (id),
  attempt_id INTEGER REFERENCES attempt (id), call_id INTEGER REFERENCES call (id), withdrawn_at TEXT, withdrawn_why TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX booking_one_told ON booking (postponement_id) WHERE state = 'told';
CREATE INDEX booking_day ON booking (service_id, slot_on) WHERE state = 'told';

-- ---------------------------------------------------------------- journal
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY, entered_at TEXT NOT NULL, happened_at TEXT NOT NULL, agent TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, subject_id TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX journal_subject ON journal (subject, subject_id);
-- The head is written with each entry: a cut tail shows even without a copy of the head kept elsewhere.
CREATE TABLE journal_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
INSERT INTO journal_head (id, seq, hash) VALUES (1, 0, '');
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;
