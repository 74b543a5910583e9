using System.Globalization;
using System.Xml;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Gateway.Hub.Emvs;

/// <summary>Answers as <c>schemas/hub/hub.xsd</c> has them, read without trust.</summary>
internal static class EmvsAnswers
{
    private const int MaxMarkets = 60, MaxFailed = 250_000, MaxText = 1_000, MaxSerial = 20, MaxHeld = 50_000, MaxAlerts = 500, MaxFact = 200;

    /// <exception cref="HubAnswerException">It is none.</exception>
    public static HubResult ReadResult(byte[] bytes) => Read(bytes, xml =>
    {
        Expect(xml, "Result");
        if (!Guid.TryParse(xml.GetAttribute("correlationId"), out var correlationId))
        {
            throw Wrong(xml, "correlationId is none");
        }
        var status = xml.GetAttribute("status") switch
        {
            "pending" => HubStatus.Pending,
            "accepted" => HubStatus.Accepted,
            "partial" => HubStatus.Partial,
            "refused" => HubStatus.Refused,
            var other => throw Wrong(xml, $"status is {other}"),
        };
        var (code, text, markets, failed) = (xml.GetAttribute("code"), (string?)null, new List<HubMarket>(), new List<FailedPack>());
        var (failing, temporary) = ("", false);
        // Reading an element's text leaves the reader behind its end, where the next may begin at once.
        for (xml.Read(); !xml.EOF;)
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                xml.Read();
                continue;
            }
            switch (xml.LocalName)
            {
                case "Text":
                    text = Cut(xml.ReadElementContentAsString());
                    continue;
                case "Market" when markets.Count < MaxMarkets:
                    var state = xml.GetAttribute("state");
                    markets.Add(new HubMarket(xml.GetAttribute("country") is { Length: 2 } country ? country : throw Wrong(xml, "country is none"),
                        state is "pending" or "distributed" or "failed" ? state : throw Wrong(xml, $"state is {state}"), Moment(xml)));
                    break;
                case "Failed":
                    (failing, temporary) = (xml.GetAttribute("code") is { Length: > 0 and <= 40 } c ? c : throw Wrong(xml, "code is missing"), xml.GetAttribute("temporary") is "true" or "1");
                    break;
                case "Sn" when failed.Count < MaxFailed && failing.Length > 0:
                    failed.Add(new FailedPack(xml.ReadElementContentAsString(), failing, temporary));
                    continue;
                default:
                    throw Wrong(xml, $"{xml.LocalName} is not expected");
            }
            xml.Read();
        }
        return new HubResult(correlationId, status, code is { Length: > 40 } ? code[..40] : code, text, markets, failed, bytes);
    });

    /// <exception cref="HubAnswerException">It is none.</exception>
    public static (string Token, DateTime Expires) ReadSession(byte[] bytes) => Read(bytes, xml =>
    {
        Expect(xml, "Session");
        return (xml.GetAttribute("token") is { Length: > 0 } token && token.All(ch => ch is > ' ' and < (char)127) ? token : throw Wrong(xml, "token is none"),
            DateTime.TryParse(xml.GetAttribute("expires"), CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var expires) ? expires : throw Wrong(xml, "expires is none"));
    });

    /// <exception cref="HubAnswerException">They are none.</exception>
    public static AlertPage ReadAlerts(byte[] bytes) => Read(bytes, xml =>
    {
        Expect(xml, "Alerts");
        var (last, alerts) = (long.TryParse(xml.GetAttribute("last"), NumberStyles.None, CultureInfo.InvariantCulture, out var place) ? place : throw Wrong(xml, "last is no number"), new List<HubAlert>());
        for (xml.Read(); !xml.EOF;)
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                xml.Read();
                continue;
            }
            if (xml.LocalName != "Alert" || alerts.Count == MaxAlerts)
            {
                throw Wrong(xml, $"{xml.LocalName} is not expected");
            }
            // What is said of the pack stays as it is, however strange: that is what the alert is about.
            alerts.Add(new HubAlert(Needed(xml, "id"), Needed(xml, "code"), Needed(xml, "country"), Moment(xml) ?? throw Wrong(xml, "at is missing"), Needed(xml, "product"), Fact(xml, "lot"), Fact(xml, "expiry"), Fact(xml, "sn"), Fact(xml, "user"),
                Cut(xml.ReadElementContentAsString())));
        }
        return new AlertPage(alerts, last);
    });

    private static string Needed(XmlReader xml, string name) => Fact(xml, name) ?? throw Wrong(xml, $"{name} is missing");

    private static string? Fact(XmlReader xml, string name) =>
        xml.GetAttribute(name) is not { Length: > 0 } fact ? null : fact.Length <= MaxFact ? fact : throw Wrong(xml, string.Create(CultureInfo.InvariantCulture, $"{name} has more than {MaxFact} characters"));


    /// <param name="after">The serial number that ended the page before.</param>
    /// <exception cref="HubAnswerException">It is none, of another market, or not in the order of the serial numbers' characters.</exception>
    public static (IReadOnlyList<HeldPack> Packs, bool More) ReadHolding(byte[] bytes, string country, string? after) => Read(bytes, xml =>
    {
        Expect(xml, "Holding");
        if (xml.GetAttribute("country") is var of && of != country)
        {
            throw Wrong(xml, $"country is {of}, and {country} was asked for");
        }
        var (more, packs, last) = (xml.GetAttribute("more") is "true" or "1", new List<HeldPack>(), after);
        while (xml.Read())
        {
            if (xml.NodeType != XmlNodeType.Element)
            {
                continue;
            }
            Expect(xml, "P");
            var serial = xml.GetAttribute("sn");
            if (serial is not { Length: > 0 and <= MaxSerial } || serial.AsSpan().ContainsAnyExceptInRange('!', 'z') || last is not null && string.CompareOrdinal(serial, last) <= 0)
            {
                throw Wrong(xml, $"sn {(serial is null ? "is missing" : $"{Cut(serial)} is none, or not behind the one before")}");
            }
            if (packs.Count == MaxHeld)
            {
                throw Wrong(xml, $"there are more than {MaxHeld} packs");
            }
            packs.Add(new HeldPack(last = serial, xml.GetAttribute("state") is { Length: > 0 and <= 40 } state ? state : throw Wrong(xml, "state is missing"), Moment(xml)));
        }
        return more && packs.Count == 0 ? throw Wrong(xml, "there is more, and nothing of it") : ((IReadOnlyList<HeldPack>)packs, more);
    });

    private static T Read<T>(byte[] bytes, Func<XmlReader, T> read)
    {
        try
        {
            using var xml = XmlReading.Create(new MemoryStream(bytes), ReaderLimits.Default);
            return xml.MoveToContent() == XmlNodeType.Element && xml.NamespaceURI == EmvsMessages.Namespace ? read(xml) : throw new HubAnswerException("The hub's answer is no message of its own.");
        }
        catch (Exception e) when (e is XmlException or FormatException or InvalidOperationException)
        {
            throw new HubAnswerException($"The hub's answer cannot be read: {e.Message}");
        }
    }

    private static void Expect(XmlReader xml, string name)
    {
        if (xml.LocalName != name)
        {
            throw Wrong(xml, $"{xml.LocalName} is not {name}");
        }
    }

    private static DateTime? Moment(XmlReader xml) =>
        xml.GetAttribute("at") is not { } at ? null
        : DateTime.TryParse(at, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal | DateTimeStyles.AssumeUniversal, out var moment) ? moment : throw Wrong(xml, "at is no moment");

    private static string Cut(string text) => text.Length > MaxText ? text[..MaxText] : text;

    private static HubAnswerException Wrong(XmlReader xml, string what) =>
        new(xml is IXmlLineInfo { LineNumber: > 0 } at ? $"The hub's answer cannot be understood: {what} (line {at.LineNumber}, column {at.LinePosition})." : $"The hub's answer cannot be understood: {what}.");
}
