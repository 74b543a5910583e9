using Gateway.Access;
using Gateway.Database;
using Npgsql;

namespace Gateway.Tests.Database;

/// <summary>No role of the application can become another, switch a guard off, or put something in its place.</summary>
[Requirement("P11-20")]
public sealed class RoleAttackTests
{
    // What is kept as evidence.
    private static readonly (string Table, string Column)[] Evidence =
        [("audit_entry", "actor"), ("audit_leaf", "ord"), ("audit_node", "hash"), ("audit_seal", "root"), ("audit_checkpoint", "text"), ("audit_epoch", "reason"), ("audit_key", "public_pem"), ("signature", "signer"), ("audit_review", "entries")];

    public static TheoryData<string> LoginRoles => ["gateway_app", "gateway_sealer", "gateway_reader"];

    private static readonly string[] Attacks =
    [
        "set role postgres",
        "set role gateway_owner",
        "set session authorization postgres",
        "set session_replication_role = replica",
        "set row_security = off; select * from delivery",
        "grant gateway_owner to current_user",
        "alter role current_user bypassrls",
        "alter role current_user superuser",
        "create role intruder",
        "alter table audit_entry disable trigger all",
        "drop trigger audit_entry_append_only on audit_entry",
        "alter table api_key disable trigger api_key_audit",
        "alter table delivery disable row level security",
        "alter table delivery no force row level security",
        "alter table delivery owner to current_user",
        "drop policy delivery_own on delivery",
        "create policy open on delivery using (true)",
        "create or replace function sees_party(p int) returns boolean language sql as 'select true'",
        "create or replace function refuse_change() returns trigger language plpgsql as 'begin return new; end'",
        "create function mine() returns int language sql as 'select 1'",
        "create table mine (a int)",
        "create temp table installation (clock_offset interval)",
        "create temp table audit_entry (a int)",
        "create schema mine",
        "create extension dblink",
        "insert into audit_entry (recorded_at, actor, actor_name, actor_role, method, origin, action, entity, entity_key, version, canonical) values (now(), 'somebody else', '', '', '', '', '', '', '', 1, '')",
        "update audit_entry set actor = 'x'",
        "delete from audit_entry",
        "truncate audit_entry",
        "delete from delivery_decision",
        "update routing_decision set reason = 'x'",
        "delete from document",
        "update document_chunk set bytes = ''",
        "update installation set clock_offset = '1 day'",
        "update schema_version set sha256 = ''",
        "insert into signature default values",
        "update signature set canonical = ''",
        "delete from signature",
        "truncate signature",
        "update signature_challenge set version = 2",
        "delete from signature_meaning",
        "delete from signing_statement",
        "select pg_read_file('/etc/hostname')",
        "copy party to program 'cat'",
        "select lo_import('/etc/hostname')",
    ];

    [Theory]
    [MemberData(nameof(LoginRoles))]
    public async Task A_role_cannot_leave_its_place(string role)
    {
        await using var database = await TestDatabase.CreateAsync();
        await Migrator.MigrateAsync(database.AdministratorConnectionString, CancellationToken.None); // a copied database has its own rights
        await using var connection = await RowSecurityAttackTests.ConnectAsync(database, role);
        var wrong = new List<string>();
        foreach (var attack in Attacks.Concat(Evidence.SelectMany(e => AttacksOn(e.Table, e.Column))))
        {
            await using var transaction = await connection.BeginTransactionAsync();
            try
            {
                await using var command = new NpgsqlCommand("select set_config('app.party', '*', true), set_config('app.actor', 'attacker', true); " + attack, connection, transaction);
                await command.ExecuteNonQueryAsync();
                wrong.Add(attack);
            }
            catch (PostgresException e)
            {
                if (e.SqlState != PostgresErrorCodes.InsufficientPrivilege)
                {
                    wrong.Add($"{attack}: {e.SqlState} {e.MessageText}");
                }
            }
        }
        Assert.Equal("", string.Join("\n", wrong));
    }

    [Fact]
    public async Task The_owner_of_the_evidence_cannot_change_delete_or_empty_it_either()
    {
        await using var trail = await Audit.SealedTrail.CreateAsync();
        await trail.WriteAsync(300); // enough for a subtree
        await trail.SealAsync();
        var signature = (await TenantCatalog.ReadAsync(trail.Database)).Single(t => t.Name == "signature");
        await trail.Database.ExecuteAsync($"alter table signature drop constraint signature_components_check; set session_replication_role = replica; {signature.Insert(1, 1)}");
        await trail.Database.ExecuteAsync("insert into audit_key (key_id, public_pem, made_at) select '0123456789abcdef', '', now() from set_config('app.actor', 'test', false)");
        foreach (var (table, column) in Evidence.Where(e => e.Table != "audit_review")) // whose conclusion is written once
        {
            Assert.True(await trail.Database.ScalarAsync<bool>($"select exists (select from {table})"), $"{table} is empty");
            foreach (var attack in (string[])[$"update {table} set {column} = {column}", $"delete from {table}", $"truncate {table} cascade"])
            {
                var refused = await Assert.ThrowsAsync<PostgresException>(() => trail.Database.ExecuteAsync(attack));
                Assert.Equal((attack, "GW002"), (attack, refused.SqlState));
            }
        }
    }

    private static string[] AttacksOn(string table, string column) =>
    [
        $"update {table} set {column} = {column}", $"delete from {table}", $"truncate {table}", $"alter table {table} disable trigger all", $"alter table {table} drop column {column}",
        $"drop trigger {(table == "audit_review" ? "audit_review_stays" : table + "_append_only")} on {table}", $"drop table {table}",
    ];

    [Fact]
    public async Task No_role_is_powerful_owns_anything_or_is_a_member_of_another()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal("", await database.ScalarAsync<string>("""
            select coalesce(string_agg(what, ', '), '') from (
                select rolname || ' is powerful' as what from pg_roles where rolname like 'gateway\_%' and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication or rolname = 'gateway_owner' and rolcanlogin)
                union all select r.rolname || ' owns ' || c.relname from pg_class c join pg_roles r on r.oid = c.relowner where r.rolname in ('gateway_app', 'gateway_sealer', 'gateway_reader')
                union all select r.rolname || ' owns ' || p.proname from pg_proc p join pg_roles r on r.oid = p.proowner where r.rolname in ('gateway_app', 'gateway_sealer', 'gateway_reader')
                union all select m.rolname || ' is a member of ' || g.rolname from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid where m.rolname like 'gateway\_%') x
            """));
    }

    [Fact]
    public async Task Every_table_that_is_not_shared_forces_row_security_and_has_a_policy()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal("", await database.ScalarAsync<string>($"""
            select coalesce(string_agg(c.relname, ', '), '') from pg_class c
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
              and c.relname <> all(array['{string.Join("','", TenantCatalog.Shared)}'])
              and not (c.relrowsecurity and c.relforcerowsecurity and exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive))
            """));
    }

    [Fact]
    public async Task Functions_with_their_owners_rights_have_a_fixed_search_path_and_views_the_rights_of_who_asks()
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal("", await database.ScalarAsync<string>("""
            select coalesce(string_agg(what, ', '), '') from (
                select p.proname::text as what from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef
                    and not exists (select from unnest(p.proconfig) s where s like 'search_path=%pg_temp')
                union all select c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('v', 'm')
                    and not coalesce('security_invoker=true' = any(c.reloptions) or 'security_invoker=on' = any(c.reloptions), false)) x
            """));
    }

    [Fact]
    public async Task A_unique_key_that_could_tell_of_others_includes_the_party_or_is_unique_in_the_world()
    {
        await using var database = await TestDatabase.CreateAsync();
        string[] worldUnique = ["party_gln_key", "partner_gln_pkey", "capture_public_id_key", "api_key_pkey", "event_pkey", "event_identity_pkey", "person_folded_name_key",
            "serial_number_once", // a number of a product is one for everybody: that it is taken is what whoever imports it must be told
            "product_version", "location_version"]; // which only the organisation writes: row security refuses others before the index is asked
        // A number that the database itself gives out tells nothing; a text, a time or a hash would.
        Assert.Equal("", await database.ScalarAsync<string>($"""
            select coalesce(string_agg(i.indexrelid::regclass::text, ', '), '') from pg_index i join pg_class c on c.oid = i.indrelid
            where i.indisunique and c.relnamespace = 'public'::regnamespace and not c.relispartition
              and c.relname <> all(array['{string.Join("','", TenantCatalog.Shared)}']) and i.indexrelid::regclass::text <> all(array['{string.Join("','", worldUnique)}'])
              and not exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any(i.indkey) and a.attname = 'party_id')
              and exists (select from pg_attribute a where a.attrelid = c.oid and a.attnum = any(i.indkey) and a.atttypid not in ('int4'::regtype, 'int8'::regtype))
              and i.indexrelid::regclass::text <> 'party_one_organisation'
            """));
    }

    [Fact]
    public async Task A_record_of_one_party_cannot_hang_on_a_record_of_another()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into party (kind, name) values ('cmo', 'One'), ('cmo', 'Two');
            insert into document (party_id, sha256, length, media_type, received_at) select party_id, sha256(name::bytea), 1, 'text/xml', now() from party order by party_id
            """);
        await using var one = await RowSecurityAttackTests.ConnectAsync(database, "gateway_app");
        foreach (var documentId in (long[])[2, 999])
        {
            await using var transaction = await one.BeginTransactionAsync();
            await using var command = new NpgsqlCommand($"select set_config('app.party', '1', true); insert into document_chunk (document_id, party_id, ordinal, bytes) values ({documentId}, 1, 99, '')", one, transaction);
            // Whether the number exists at another party makes no difference.
            Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState);
        }
    }

    [Fact]
    public async Task A_party_cannot_raise_its_own_key()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("""
            select set_config('app.actor', 'test', false);
            insert into party (kind, name) values ('cmo', 'One');
            insert into api_key (key_id, party_id, role, name, secret_hash, created_at) values ('k', 1, 'cmo', 'k', sha256('k'), now())
            """);
        await using var one = await RowSecurityAttackTests.ConnectAsync(database, "gateway_app");
        await using var transaction = await one.BeginTransactionAsync();
        await using var command = new NpgsqlCommand("select set_config('app.party', '1', true), set_config('app.actor', 'k', true); update api_key set role = 'administrator'", one, transaction);
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync())).SqlState);
        await transaction.RollbackAsync();
        Assert.Equal("cmo", await database.ScalarAsync<string>("select role from api_key"));
    }

    [Fact]
    public async Task The_context_of_a_transaction_ends_with_it_and_the_next_names_its_own_whatever_a_session_was_told()
    {
        await using var database = await TestDatabase.CreateAsync();
        var settings = new NpgsqlConnectionStringBuilder(database.AdministratorConnectionString) { MaxPoolSize = 1 };
        var gateway = GatewayDatabase.Open(settings.ConnectionString);
        await using var source = gateway.Source;
        await using (var connection = await source.OpenConnectionAsync())
        {
            await using var local = new NpgsqlCommand("select set_config('app.party', '*', true)", connection);
            await local.ExecuteNonQueryAsync();
            Assert.Equal("", await ContextAsync(connection));
            await using var session = new NpgsqlCommand("select set_config('app.party', '*', false)", connection);
            await session.ExecuteNonQueryAsync();
            Assert.Equal("*", await ContextAsync(connection));
        }
        var reader = Actor.System("test") with { Sees = "7" };
        await using (var work = await gateway.BeginAsync(reader, default))
        {
            Assert.Equal("7", await ContextAsync(work.Connection));
        }
        Assert.Equal(["7"], await gateway.ReadAsync<string>(reader, "select current_setting('app.party')", null, default));
    }

    private static async Task<string> ContextAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("select coalesce(current_setting('app.party', true), '')", connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
