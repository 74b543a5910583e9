using Epcis.Events;
using Epcis.Rules;

namespace Epcis.Tests.Rules;

/// <summary>Neighbours in a list are looked at together; nothing wrong may pass because its neighbour is right.</summary>
public sealed class DoubtfulIdentifierTests
{
    [Theory]
    [InlineData("urn:epc:id:sgtin:9521141.012345.100A", "")]
    [InlineData("urn:epc:id:sscc:9521141.0000000001", "")]
    [InlineData("urn:epc:id:sgln:9521141.01234.7", "")]
    [InlineData("urn:epc:id:sgtin:9521141.012345.", "x /%#*\0é'")]
    [InlineData("urn:epc:id:sscc:9521141.00000000012", "-A")]
    public void What_is_wrong_is_found_beside_anything_that_is_right(string known, string characters)
    {
        var random = new Random(20261120);
        var compared = 0;
        foreach (var value in Damaged(known, characters + "0Az-_.%:*/ é", random).Take(3000))
        {
            var alone = Found(value);
            foreach (var neighbour in (string[])["urn:epc:id:sgtin:9521141.012345.1", "urn:epc:id:sscc:9521141.0000000009", known])
            {
                Assert.Equal(alone.Distinct(), Found(neighbour, value).Where(f => f.EndsWith(" " + value, StringComparison.Ordinal)).Distinct());
            }
            compared += alone.Count > 0 ? 1 : 0;
        }
        Assert.True(compared > 300, $"Only {compared} values were wrong.");
    }

    private static IEnumerable<string> Damaged(string known, string characters, Random random)
    {
        while (true)
        {
            var text = known.ToList();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                var at = random.Next(Math.Max(0, text.Count - 14), text.Count + 1);
                switch (random.Next(4))
                {
                    case 0 when at < text.Count: text.RemoveAt(at); break;
                    case 1 when at < text.Count: text[at] = characters[random.Next(characters.Length)]; break;
                    case 2: text.Insert(at, characters[random.Next(characters.Length)]); break;
                    default: text.AddRange(Enumerable.Repeat('7', random.Next(24))); break;
                }
            }
            yield return new string([.. text]);
        }
    }

    private static List<string> Found(params string[] epcs)
    {
        var findings = new Findings();
        RuleSet.Default.Check(new ObjectEvent
        {
            EventTime = DateTimeOffset.UnixEpoch, EventTimeText = "1970-01-01T00:00:00Z", EventTimeZoneOffset = "+00:00", Action = EventAction.Observe, BizStep = "shipping", EpcList = epcs,
        }, findings);
        return [.. findings.All.Where(f => f.Got is not null && f.Code != "EPCIS-DUP-01").Select(f => $"{f.Code} {f.Got}")];
    }
}
