using Dapper;
using Npgsql;

namespace Gateway.Tests.Database;

/// <summary>P11-9, P11-23: what is kept is not deleted. There is no disposal yet, so no role of the product may delete a record at all.</summary>
[Requirement("P11-9")]
[Requirement("P11-23")]
public sealed class RetentionTests
{
    // What is taken out of these leaves an entry with all it was, follows from events and is made anew from them, or is no record: a challenge, what a node says of itself.
    private static readonly string[] Deletable = ["partner_gln", "person_role", "role_permission", "shipment_sum", "shipped_unit", "signature_challenge", "unit", "validation_node"];

    [Fact]
    public async Task No_role_of_the_product_may_delete_a_document_an_event_or_an_entry()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = new NpgsqlConnection(database.AdministratorConnectionString);
        var allowed = await connection.QueryAsync<string>("""
            select distinct c.relname::text from pg_class c cross join unnest('{gateway_app,gateway_sealer,gateway_reader}'::text[]) as r
            where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace and (has_table_privilege(r, c.oid, 'delete') or has_table_privilege(r, c.oid, 'truncate')) order by 1
            """);
        Assert.Equal(Deletable, allowed);
    }

    [Fact]
    public async Task What_may_be_taken_out_of_a_table_is_in_the_trail_with_all_it_was()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("""
            do $$ begin
              perform set_config('app.actor', 'person:anna', true), set_config('app.party', '*', true), set_config('app.reason', 'no longer needed', true);
              insert into role (role, description) values ('packer', 'Packs.'); insert into role_permission values ('packer', 'units.read'); delete from role_permission where role = 'packer';
            end $$
            """);
        Assert.Equal("delete units.read no longer needed", await database.ScalarAsync<string>("select action || ' ' || (old ->> 'permission') || ' ' || reason from audit_entry where entity = 'role_permission' order by ord desc limit 1"));
    }
}
