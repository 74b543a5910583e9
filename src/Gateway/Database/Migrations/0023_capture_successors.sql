-- 0023_capture_successors.sql: from a capture to the others of its document number or lot: first its own words are needed.
create index capture_term_capture on capture_term (capture_id);
