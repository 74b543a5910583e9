-- 0031_units_read.sql: who may look at units. Which of them, row security says: a party sees those that it told of first.
select set_config('app.party', '*', true), set_config('app.actor', 'system:migration', true);
insert into role_permission (role, permission)
select r, 'units.read' from unnest(array['administrator', 'officer', 'operator', 'cmo', 'partner', 'inspector']) as r
where exists (select from role where role = r);
