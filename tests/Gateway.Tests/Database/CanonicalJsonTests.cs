
namespace Gateway.Tests.Database;

/// <summary>The text that is sealed of an audit entry: sorted keys, no blanks.</summary>
public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("""{"b":1,"aa":[true,null,{"y":"z\u00e9","x":[]}],"a":{"c":1.50,"B":"\"q\""},"":{}}""", """{"":{},"a":{"B":"\"q\"","c":1.50},"aa":[true,null,{"x":[],"y":"zé"}],"b":1}""")]
    [InlineData("[]", "[]")]
    [InlineData("[[1,[2]],\"a b\"]", "[[1,[2]],\"a b\"]")]
    [InlineData("{}", "{}")]
    [InlineData("\"text\"", "\"text\"")]
    [InlineData("null", "null")]
    public async Task Keys_are_in_byte_order_at_every_depth(string json, string canonical)
    {
        await using var database = await TestDatabase.CreateAsync();
        Assert.Equal(canonical, await database.ScalarAsync<string>($"select canonical_json('{json}'::jsonb)"));
    }
}
