using Epcis.Tests.Formats.JsonLd;

namespace Epcis.Tests.Rules;

/// <summary>The rules over whole published events: what the JSON Schema takes they take too, unless an identifier is wrong.</summary>
public sealed class JsonSampleRuleTests
{
    /// <summary>Schemas do not look into identifiers: a GRAI without its filler zero, and a second key behind a GTIN.</summary>
    private static readonly string[] WrongInTheSamples =
    [
        "https://id.gs1.org/01/09521987654327/00/012345678912345678",
        "https://id.gs1.org/8003/4012345123456354565",
    ];

    [Fact]
    public void No_valid_sample_is_refused_but_for_two_wrong_identifiers()
    {
        var events = JsonSamples.All().Where(s => s.Verdict == "valid")
            .SelectMany(s => JsonSamples.Read(File.ReadAllBytes(s.Path)).Events).ToList();
        Assert.True(events.Count > 90, $"Only {events.Count} events were read.");
        var errors = events.SelectMany(e => An.FindingsOf(e).All).Where(f => f.Severity == Severity.Error).ToList();
        Assert.Equal(WrongInTheSamples, errors.Select(f => f.Got).Distinct().Order(StringComparer.Ordinal));
        Assert.All(errors, f => Assert.Equal("EPCIS-EPC-01", f.Code));
    }
}
