-- 0032_unit_statistics.sql: how few units wait. Without it PostgreSQL takes them for nearly all, and reads the whole ledger
-- instead of unit_attention.
create statistics unit_waiting on (flags & 4) from unit_row;
