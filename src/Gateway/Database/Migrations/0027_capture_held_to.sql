-- 0027_capture_held_to.sql: settings decide which rules a document is held to, so each capture keeps what held when it was
-- decided: the profile, and every rule that was judged otherwise. Null before the decision, and for captures before this one.
alter table capture add column held_to text;
