using System.Globalization;
using System.Text;
using System.Xml;
using CsvHelper;
using CsvHelper.Configuration;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Gateway.Serials;

/// <summary>How line systems ask for numbers and are answered, besides JSON: CSV, and number-range messages of object-key style, in a SOAP envelope or bare.</summary>
public static class SerialForms
{
    /// <summary>Of a request.</summary>
    public const int MaxBytes = 64 << 10;

    private const string Soap = "http://schemas.xmlsoap.org/soap/envelope/";

    /// <summary>What a message of XML asks for, and what its answer repeats.</summary>
    /// <param name="Namespace">Of the message's element.</param>
    /// <param name="Sender">Who sent it, to whom the answer is addressed.</param>
    /// <param name="IsRandom">It asks for a list and no range.</param>
    public sealed record RangeMessage(SerialRequest Request, string Namespace, bool IsEnveloped, string Sender, string Encoding, string KeyName, string KeyValue, bool IsRandom);

    /// <summary>Reads a heading and one row: requestId, gtin or ssccPrefix, quantity, and as wanted lot, run, line, device, pool.</summary>
    /// <param name="wrong">A sentence when it cannot be read.</param>
    public static SerialRequest? ReadCsv(string text, out string? wrong)
    {
        try
        {
            using var rows = new CsvParser(new StringReader(text), new CsvConfiguration(CultureInfo.InvariantCulture) { TrimOptions = TrimOptions.Trim });
            if (!rows.Read() || rows.Record is not { } columns || !rows.Read() || rows.Record is not { } cells || cells.Length != columns.Length)
            {
                wrong = "The CSV has a heading and one row with as many cells.";
                return null;
            }
            var given = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (var (column, cell) in columns.Zip(cells).Where(c => c.Second.Length > 0))
            {
                given[column.TrimStart('\uFEFF')] = cell;
            }
            wrong = rows.Read() ? "The CSV has one row: one request." : null;
            return wrong is null ? Of(given.GetValueOrDefault, out wrong) : null;
        }
        catch (CsvHelperException)
        {
            wrong = "The CSV cannot be read.";
            return null;
        }
    }

    /// <summary>Reads a number-range message: <c>Size</c> and an <c>ObjectKey</c> whose name is GTIN, SSCC, COMPANY_PREFIX or GCP (there <c>prefix|extension digit</c> too).</summary>
    /// <param name="wrong">A sentence when it cannot be read.</param>
    public static RangeMessage? ReadMessage(Stream body, out string? wrong)
    {
        wrong = null;
        var given = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var (space, enveloped) = ("", false);
        try
        {
            using var reader = XmlReading.Create(body, ReaderLimits.Default with { MaxBytes = MaxBytes });
            while (reader.Read())
            {
                if (reader.NodeType != XmlNodeType.Element)
                {
                    continue;
                }
                if (reader.NamespaceURI == Soap)
                {
                    enveloped = true;
                }
                else if (space.Length == 0 && reader.LocalName.Contains("Request", StringComparison.OrdinalIgnoreCase) && reader.LocalName != "RequestId")
                {
                    space = reader.NamespaceURI;
                }
                else if (reader.LocalName is not "ObjectKey" && !reader.IsEmptyElement)
                {
                    var name = reader.LocalName;
                    given.TryAdd(name, reader.Read() && reader.NodeType == XmlNodeType.Text ? reader.Value.Trim() : "");
                }
            }
        }
        catch (XmlException e)
        {
            wrong = $"The XML cannot be read at line {e.LineNumber}, column {e.LinePosition}.";
            return null;
        }
        var (key, value) = (given.GetValueOrDefault("Name", ""), given.GetValueOrDefault("Value", ""));
        given["quantity"] = given.GetValueOrDefault("Size", "");
        given["device"] = given.GetValueOrDefault("Device") ?? (given.GetValueOrDefault("SendingSystem") is { Length: <= 60 } sender ? sender : "");
        switch (key.ToUpperInvariant())
        {
            case "GTIN":
                given["gtin"] = value;
                break;
            case "SSCC" or "COMPANY_PREFIX" or "GCP":
                given["ssccPrefix"] = value.Split('|') is [var prefix, var extension] ? extension + prefix : value;
                break;
            default:
                wrong = "The message has an ObjectKey whose Name is GTIN, SSCC or COMPANY_PREFIX, and whose Value says which.";
                return null;
        }
        return Of(name => given.GetValueOrDefault(name) is { Length: > 0 } text ? text : null, out wrong) is { } request
            ? new RangeMessage(request, space, enveloped, given.GetValueOrDefault("SendingSystem", ""), given.GetValueOrDefault("EncodingType", request.Gtin is null ? "SSCC" : "SGTIN"), key, value,
                given.GetValueOrDefault("RequestRandomizedNumbers", given.GetValueOrDefault("RequestRandomizedNumber", "")) is { Length: > 0 })
            : null;
    }

    /// <summary>A heading, and a row for each number. Cells are as they are: no program that prints them may find another character in front.</summary>
    public static string WriteCsv(GrantedNumbers granted)
    {
        var csv = new StringBuilder(granted.Grant.Gtin is null ? "sscc\r\n" : "gtin,serial\r\n");
        foreach (var number in granted.Numbers)
        {
            csv.Append(granted.Grant.Gtin).Append(granted.Grant.Gtin is null ? "" : ",").Append(Cell(number)).Append("\r\n");
        }
        return csv.ToString();
    }

    /// <summary>The numbers as a message: from and to where they follow each other and no list was asked for, otherwise a list.</summary>
    /// <param name="asked">The message that asked; null when it was asked in another form.</param>
    public static byte[] WriteXml(GrantedNumbers granted, RangeMessage? asked)
    {
        using var stream = new MemoryStream();
        using (var xml = XmlWriter.Create(stream, new XmlWriterSettings { Encoding = new UTF8Encoding(false), Indent = true }))
        {
            var (grant, isRange) = (granted.Grant, asked?.IsRandom != true && Follow(granted));
            if (asked?.IsEnveloped == true)
            {
                xml.WriteStartElement("soapenv", "Envelope", Soap);
                xml.WriteStartElement("Body", Soap);
            }
            xml.WriteStartElement(string.IsNullOrEmpty(asked?.Namespace) ? "" : "n0", "NumberRangeResponseMessage", asked?.Namespace ?? "");
            xml.WriteElementString("RequestId", grant.RequestId);
            xml.WriteElementString("GrantId", grant.Id.ToString());
            xml.WriteElementString("ReceivingSystem", asked?.Sender ?? grant.Device);
            xml.WriteElementString("ActionCode", "C");
            xml.WriteElementString("EncodingType", asked?.Encoding ?? (grant.Gtin is null ? "SSCC" : "SGTIN"));
            xml.WriteElementString("IDType", "GS1_SER");
            xml.WriteElementString("Size", granted.Numbers.Count.ToString(CultureInfo.InvariantCulture));
            xml.WriteStartElement("ObjectKey");
            xml.WriteElementString("Name", asked?.KeyName ?? (grant.Gtin is null ? "SSCC" : "GTIN"));
            xml.WriteElementString("Value", asked?.KeyValue ?? grant.Gtin ?? grant.SsccPrefix);
            xml.WriteEndElement();
            xml.WriteStartElement("Interval");
            xml.WriteElementString("NumberFrom", isRange ? granted.Numbers[0] : "");
            xml.WriteElementString("NumberTo", isRange ? granted.Numbers[^1] : "");
            xml.WriteEndElement();
            xml.WriteStartElement("RandomizedNumberList");
            foreach (var number in isRange ? [] : granted.Numbers)
            {
                xml.WriteElementString("SerialNumber", number);
            }
        }
        return stream.ToArray();
    }

    private static SerialRequest? Of(Func<string, string?> given, out string? wrong)
    {
        wrong = null;
        int? quantity = null;
        if (given("quantity") is { } text)
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                wrong = "The quantity is a whole number.";
                return null;
            }
            quantity = number;
        }
        Guid? Id(string name, ref string? wrong)
        {
            if (given(name) is not { } text)
            {
                return null;
            }
            if (Guid.TryParse(text, out var id))
            {
                return id;
            }
            wrong = $"{name} is the id of one.";
            return null;
        }
        var (run, pool) = (Id("run", ref wrong), Id("pool", ref wrong));
        return wrong is null ? new SerialRequest(given("requestId"), given("gtin"), given("ssccPrefix"), quantity, given("lot"), run, given("line"), given("device"), pool) : null;
    }

    // SSCCs whose references are one after another; the check digit behind them is no part of that.
    private static bool Follow(GrantedNumbers granted) =>
        granted.Grant.Gtin is null && granted.Numbers.Count > 1
        && granted.Numbers.Zip(granted.Numbers.Skip(1), (one, next) => long.Parse(next.AsSpan(0, 17), CultureInfo.InvariantCulture) - long.Parse(one.AsSpan(0, 17), CultureInfo.InvariantCulture)).All(step => step == 1);

    private static string Cell(string number) => number.AsSpan().IndexOfAny(",\"") < 0 ? number : $"\"{number.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
