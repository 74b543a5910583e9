using Epcis.Events;
using Epcis.Formats;
using Epcis.Formats.JsonLd;
using Epcis.Formats.Xml;

namespace Epcis.Conversion;

/// <summary>
/// Converts a document between EPCIS 1.2 XML, 2.0 XML and 2.0 JSON-LD. Memory holds the header and one event. The same input
/// gives the same bytes: nothing comes from a clock, the document's date is its own. Nothing is dropped silently: what the
/// target cannot say is an error finding, and then what was written is no document to send.
/// </summary>
public static class EpcisConverter
{
    private const string NotWritable = "EPCIS-OUT-02";

    // Accepted with a warning, because the original keeps what the reader passes over; a conversion would lose it.
    private static readonly string[] s_passedOver = ["EPCIS-XML-08", "EPCIS-XML-09", JsonCodes.ExtendedEvent, JsonCodes.PassedOver];

    /// <param name="open">
    /// Opens a reader at the document's beginning. It is called twice: a header is complete only at the end of the document,
    /// and it is written first. The reader decides how strictly the source is checked; its errors refuse the conversion.
    /// </param>
    /// <returns>What there is to say. The output is good when there is no error.</returns>
    public static async Task<Findings> ConvertAsync(Func<EpcisReader> open, Stream output, ConversionOptions options, CancellationToken ct)
    {
        var findings = new Findings();
        var header = ReadThrough(open, findings);
        if (findings.HasErrors)
        {
            return findings;
        }
        var translation = new IdentifierTranslation(options, findings);
        using var reader = open();
        if (reader.IsBareEvent)
        {
            await BareEventAsync(reader, output, options, translation, findings, ct).ConfigureAwait(false);
        }
        else if (options.To == DocumentForm.JsonLd20)
        {
            await using var writer = new JsonDocumentWriter(output, findings);
            writer.Begin(translation.Of(header));
            while (reader.Read())
            {
                await writer.CopyAsync(For(reader.Current, options, translation), reader.Namespaces, ct).ConfigureAwait(false);
            }
            await writer.EndAsync(ct).ConfigureAwait(false);
        }
        else
        {
            await using var writer = new XmlDocumentWriter(output, options.To, findings, options.Cbv, options.Carry);
            writer.Begin(translation.Of(header));
            while (reader.Read())
            {
                await writer.CopyAsync(For(reader.Current, options, translation), reader.Namespaces, ct).ConfigureAwait(false);
            }
            await writer.EndAsync(ct).ConfigureAwait(false);
        }
        return findings;
    }

    /// <summary>
    /// Reads source and result side by side: the result must be valid, and its events say the same in the same order. Spelling
    /// is free, content is not.
    /// </summary>
    public static Findings Compare(EpcisReader source, EpcisReader result)
    {
        var findings = new Findings();
        while (source.Read())
        {
            if (!result.Read())
            {
                findings.Error("EPCIS-OUT-11", source.Current, "The event is missing in the result.");
                break;
            }
            var (before, after) = (source.Current, result.Current);
            if (before.EventId != after.EventId || before.RecordTimeText != after.RecordTimeText
                || EventContent.Text(before, source.Namespaces) != EventContent.Text(after, result.Namespaces))
            {
                findings.Error("EPCIS-OUT-11", before, "The event says something else in the result.");
            }
        }
        while (result.Read())
        {
            findings.Error("EPCIS-OUT-11", result.Current, "The event is in the result only.");
        }
        foreach (var finding in result.Findings.All.Where(f => f.Severity == Severity.Error))
        {
            findings.Add(finding);
        }
        return findings;
    }

    private static DocumentHeader ReadThrough(Func<EpcisReader> open, Findings findings)
    {
        using var reader = open();
        while (reader.Read())
        {
        }
        foreach (var finding in reader.Findings.All)
        {
            if (finding.Severity == Severity.Error)
            {
                findings.Add(finding);
            }
            else if (s_passedOver.Contains(finding.Code))
            {
                findings.Add(finding with { Code = NotWritable, Severity = Severity.Error, Message = finding.Message + " It cannot be converted." });
            }
        }
        return reader.Header;
    }

    private static async Task BareEventAsync(EpcisReader reader, Stream output, ConversionOptions options, IdentifierTranslation translation, Findings findings, CancellationToken ct)
    {
        if (!reader.Read())
        {
            return;
        }
        var e = For(reader.Current, options, translation);
        if (options.To == DocumentForm.Xml12)
        {
            findings.Error("EPCIS-OUT-01", e, "EPCIS 1.2 has no event without a document around it.", got: e.EventType);
            return;
        }
        if (options.To == DocumentForm.JsonLd20)
        {
            await output.WriteAsync(JsonDocumentWriter.Render(e, reader.Namespaces, outer: null, findings), ct).ConfigureAwait(false);
            return;
        }
        await using var buffer = new XmlBuffer(output);
        new XmlEventWriter(buffer.Xml, options.To, findings, options.Cbv, options.Carry).WriteWith(e, e.RecordTimeText, reader.Namespaces, isBare: true);
        await buffer.FlushAsync(ct).ConfigureAwait(false);
    }

    /// <summary>The event as the target spells it. 2.0 has no QuantityEvent, so the event that says the same is marked for the way back.</summary>
    private static EpcisEvent For(EpcisEvent e, ConversionOptions options, IdentifierTranslation translation)
    {
        e = translation.Of(e);
        return e is ObjectEvent { WasQuantityEvent: true } && options.To != DocumentForm.Xml12
            ? e with { Extensions = [.. e.Extensions, Carried.Of(Carried.QuantityEvent) with { Text = "" }] }
            : e;
    }
}
