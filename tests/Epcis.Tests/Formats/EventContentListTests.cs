using System.Security.Cryptography;
using System.Text;
using Epcis.Events;
using Epcis.Formats;
using Epcis.Identifiers;

namespace Epcis.Tests.Formats;

/// <summary>The content of stored events is compared for years: how it is written out may become faster, never different.</summary>
public sealed class EventContentListTests
{
    private static readonly IReadOnlyDictionary<string, string> NoNamespaces = new Dictionary<string, string>();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Each_identifier_is_a_line_with_role_and_link_in_order(int products)
    {
        var random = new Random(products);
        for (var round = 0; round < 100; round++)
        {
            var children = Enumerable.Range(0, random.Next(1, 60)).Select(_ => $"urn:epc:id:sgtin:952123{random.Next(products)}.012345.{new string(random.GetItems<char>("-_09AZaz", random.Next(1, 18)))}").ToList();
            var e = new AggregationEvent { ParentId = "urn:epc:id:sscc:9521234.0000000001", ChildEpcs = children };
            var lines = children.Select(c => $"3 {Link(c)}").Append($"2 {Link(e.ParentId)}").Order(StringComparer.Ordinal).Select(value => $"epc {value.Length} {value}\n");

            var text = EventContent.Text(e, NoNamespaces);

            Assert.Contains("\n" + string.Concat(lines), text, StringComparison.Ordinal);
            Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(text)), EventContent.Hash(e, NoNamespaces));
        }
    }

    [Fact]
    public void Keys_are_those_that_each_identifier_has_alone()
    {
        string[] all = ["urn:epc:id:sgtin:9521234.012345.1", "urn:epc:id:sgtin:9521234.012345.%41", "urn:epc:id:sgtin:9521234.012345.2", "URN:EPC:id:sgtin:9521234.012345.3", "https://id.gs1.org/01/09521234123451/21/1", "urn:epc:id:sgtin:9521234.012346.1", "urn:epc:id:sgtin:95212.bad.1", "urn:epc:id:sgtin:95212.bad.%31", "urn:epc:id:sscc:9521234.0000000001", "urn:epc:id:sscc:9521234.0000000002", "own"];
        var random = new Random(4);
        for (var round = 0; round < 200; round++)
        {
            var keys = new EpcKeys();
            Assert.All(random.GetItems(all, 30), value => Assert.Equal(EpcKey.Normalise(value), keys.Normalise(value)));
        }
    }

    private static string Link(string epc) => EpcUri.Parse(epc).Value!.ToDigitalLink()!;
}
