-- Sessions of agents and what they are doing, the sites that each may work, messages and who has read them.

-- How long a session lives: hidden after idle_seconds without a key, ended idle_end_seconds later, and never longer than
-- session_seconds.
ALTER TABLE desk ADD COLUMN idle_seconds INTEGER NOT NULL DEFAULT 600 CHECK (idle_seconds > 0);
ALTER TABLE desk ADD COLUMN idle_end_seconds INTEGER NOT NULL DEFAULT 60 CHECK (idle_end_seconds >= 0);
ALTER TABLE desk ADD COLUMN session_seconds INTEGER NOT NULL DEFAULT 43200 CHECK (session_seconds > 0);

-- The sites for which an agent rings and steers; an agent without a row works for all of them.
CREATE TABLE agent_site (
  agent_id INTEGER NOT NULL REFERENCES agent (id), site_id TEXT NOT NULL REFERENCES site (id),
  PRIMARY KEY (agent_id, site_id)
) STRICT, WITHOUT ROWID;

-- One agent at one terminal. process: "boot id:pid:start", so that a session whose process is gone is known as such.
CREATE TABLE session (
  id INTEGER PRIMARY KEY, agent_id INTEGER NOT NULL REFERENCES agent (id), started_at TEXT NOT NULL, seen_at TEXT NOT NULL,
  process TEXT NOT NULL, origin TEXT NOT NULL DEFAULT '', attested_by TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL DEFAULT 'ready' CHECK (state IN ('ready', 'call', 'wrap_up', 'pause', 'away')), state_at TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '', site_id TEXT REFERENCES site (id),
  ended_at TEXT, ended_why TEXT NOT NULL DEFAULT ''
    CHECK (ended_why IN ('', 'quit', 'gone', 'replaced', 'idle', 'aged', 'disabled', 'ended')),
  ended_by INTEGER REFERENCES agent (id)
) STRICT;
CREATE UNIQUE INDEX session_live ON session (agent_id) WHERE ended_at IS NULL;
-- Who was signed in since a notice was sent is asked of each agent and notice, whenever somebody writes.
CREATE INDEX session_agent ON session (agent_id, ended_at);

-- What an agent was doing when: each row lasts until the next one of its session, the last one until the session's end.
CREATE TABLE work_state (
  id INTEGER PRIMARY KEY, session_id INTEGER NOT NULL REFERENCES session (id), started_at TEXT NOT NULL,
  state TEXT NOT NULL, reason TEXT NOT NULL DEFAULT '', site_id TEXT REFERENCES site (id)
) STRICT;
CREATE INDEX work_state_session ON work_state (session_id, started_at);
CREATE INDEX work_state_time ON work_state (started_at);

-- What agents are told on their screens: one of them, those of a site, or all. until: when it is no longer shown.
CREATE TABLE notice (
  id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, kind TEXT NOT NULL CHECK (kind IN ('message', 'instruction', 'desk')),
  is_urgent INTEGER NOT NULL CHECK (is_urgent IN (0, 1)), words TEXT NOT NULL, subject_id TEXT NOT NULL DEFAULT '',
  site_id TEXT REFERENCES site (id), to_agent_id INTEGER REFERENCES agent (id),
  sent_by INTEGER NOT NULL REFERENCES agent (id), sent_at TEXT NOT NULL, until TEXT NOT NULL
) STRICT;
CREATE INDEX notice_until ON notice (until);
CREATE TABLE notice_reading (
  notice_id INTEGER NOT NULL REFERENCES notice (id), agent_id INTEGER NOT NULL REFERENCES agent (id), read_at TEXT NOT NULL,
  PRIMARY KEY (notice_id, agent_id)
) STRICT, WITHOUT ROWID;
