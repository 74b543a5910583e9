using Gateway.Access;
using Gateway.Audit;
using Gateway.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Audit;

/// <summary>The check that the running gateway makes of its own trail, by a button and once a day.</summary>
[Requirement("P11-48")]
public sealed class CheckTrailTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sound_trail_is_sound_to_its_last_leaf_and_the_check_is_recorded()
    {
        await using var trail = await TrailAsync();
        var told = new List<TrailCheck>();
        var check = await Check(trail).RunAsync(Actor.System("test"), so => { told.Add(so); return Task.CompletedTask; }, Ct);
        var leaves = await trail.Database.ScalarAsync<long>("select count(*) from audit_leaf");
        Assert.Equal((leaves, leaves, true, null), (check.Leaves, check.Of, check.IsDone, check.Fault));
        Assert.Equal(await trail.Database.ScalarAsync<long>("select count(*) from audit_checkpoint"), check.Checkpoints);
        Assert.Equal(check, told[^1]);
        Assert.StartsWith($"{leaves} leaves", (await trail.ColumnAsync<string>("select entity_key from audit_entry where entity = 'audit_trail' and action = 'verify'"))[0], StringComparison.Ordinal);
        var state = await Check(trail).StateAsync(Actor.System("test"), Ct);
        Assert.Equal((leaves, trail.Key.Id, 1), (state.Leaves, state.Key, state.Waiting)); // what was just recorded waits
    }

    [Theory]
    [InlineData("update audit_entry set reason = 'else' where ord = 30", "says in its columns")]
    [InlineData("update audit_entry set canonical = canonical || '\\x20' where ord = 30", "does not have the bytes")]
    [InlineData("delete from audit_entry where ord = 30", "is gone")]
    [InlineData("delete from audit_leaf where leaf = 30", "Leaf 30 of epoch 1 is gone")]
    [InlineData("delete from audit_leaf where leaf = (select max(leaf) from audit_leaf)", "is gone")]
    [InlineData("update audit_entry set reason = 'else', canonical = convert_to(canonical_json(convert_from(canonical, 'UTF8')::jsonb || '{\"reason\":\"else\"}'), 'UTF8') where ord = 30; update audit_leaf l set hash = sha256('\\x00'::bytea || canonical) from audit_entry a where a.ord = l.ord", "do not have the root")]
    public async Task What_was_bent_is_told_and_alarmed_until_it_is_mended(string attack, string fault)
    {
        await using var trail = await TrailAsync();
        await trail.Database.ExecuteAsync("create schema kept; create table kept.e as table audit_entry; create table kept.l as table audit_leaf");
        await trail.TamperAsync(attack);
        var faults = new NodeFaults();
        var chore = new VerifyTrail(Check(trail), faults, NullLogger<VerifyTrail>.Instance);
        await chore.RunAsync(Ct);
        Assert.Contains(fault, Assert.Single(faults.All).Detail, StringComparison.Ordinal);
        await trail.TamperAsync("delete from audit_entry; delete from audit_leaf; insert into audit_entry overriding system value table kept.e; insert into audit_leaf table kept.l");
        await chore.RunAsync(Ct);
        Assert.Empty(faults.All);
    }

    private static CheckTrail Check(SealedTrail trail) => new(trail.Database.Gateway, trail.Key);

    private static async Task<SealedTrail> TrailAsync()
    {
        var trail = await SealedTrail.CreateAsync();
        for (var n = 0; n < 3; n++)
        {
            await trail.WriteAsync(20);
            await trail.SealAsync();
        }
        return trail;
    }
}
