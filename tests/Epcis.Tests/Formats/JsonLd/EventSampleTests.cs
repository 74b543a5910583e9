using System.Text;
using Epcis.Conversion;
using Epcis.Formats;

namespace Epcis.Tests.Formats.JsonLd;

/// <summary>A long list is looked at by a sample only, and what JSON refuses of any of its members is told all the same.</summary>
public sealed class EventSampleTests
{
    private const string Good = "urn:epc:id:sgtin:9521234.012345.";

    [Theory]
    [InlineData("", false)]
    [InlineData("<epc>urn:epc:id:sgtin:9521234.012346.A1</epc><epc>urn:epc:id:sscc:9521234.0000000001</epc>", false)]
    [InlineData("<epc>urn:epc:id:sgtin:9521234.012345.S7</epc>", true)] // named twice
    [InlineData("<epc>no uri</epc>", true)]
    [InlineData("<epc>urn:epc:id:sgtin:9521234.012345.%</epc>", true)]
    [InlineData("<epc/>", true)]
    [InlineData("<epc>urn:epc:id:sscc:952</epc><epc>1234567890123456789</epc>", true)] // as long, and all of it digits
    public async Task What_a_form_refuses_of_one_member_is_told_wherever_it_stands(string odd, bool isRefused)
    {
        foreach (var place in new[] { 0, 30, 60 })
        {
            var members = Enumerable.Range(0, 60).Select(i => $"<epc>{Good}S{i}</epc>").ToList();
            members.Insert(place, odd);
            var document = $"""
                <e:EPCISDocument xmlns:e="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0" creationDate="2026-01-01T00:00:00Z"><EPCISBody><EventList>
                <ObjectEvent><eventTime>2026-01-01T00:00:00Z</eventTime><eventTimeZoneOffset>+00:00</eventTimeZoneOffset><epcList>{string.Concat(members)}</epcList><action>OBSERVE</action></ObjectEvent></EventList></EPCISBody></e:EPCISDocument>
                """;
            using var output = new MemoryStream();
            var findings = await EpcisConverter.ConvertAsync(() => EpcisDocument.Open(new MemoryStream(Encoding.UTF8.GetBytes(document)), ReaderLimits.Default), output, new ConversionOptions(DocumentForm.JsonLd20), TestContext.Current.CancellationToken);

            Assert.Equal(isRefused, findings.HasErrors);
            using var result = EpcisDocument.Open(new MemoryStream(output.ToArray()), ReaderLimits.Default);
            while (result.Read())
            {
            }
            // The reader of the whole says what the sample said.
            Assert.Equal(result.Findings.All.Where(f => f.Severity == Severity.Error).Select(f => f.Code).Distinct(), findings.All.Where(f => f.Severity == Severity.Error).Select(f => f.Code).Distinct());
            Assert.All(members.Where(m => m.StartsWith("<epc>" + Good + "S", StringComparison.Ordinal)), m => Assert.Contains(m[5..^6], Encoding.UTF8.GetString(output.ToArray()), StringComparison.Ordinal));
        }
    }
}
