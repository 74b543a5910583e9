using System.Text;
using System.Xml;

namespace Gateway.Host.Simulate.Hub;

/// <summary>What the hub answers and pushes, as the schema has it.</summary>
internal static class HubAnswers
{
    /// <summary>Stands where a message had no number that could be read.</summary>
    private const string NoMessage = "00000000-0000-0000-0000-000000000000";

    private static readonly XmlWriterSettings s_settings = new() { Encoding = new UTF8Encoding(false) };

    public static byte[] Session(string token, DateTimeOffset expires) => Write("Session", xml =>
    {
        xml.WriteAttributeString("token", token);
        xml.WriteAttributeString("expires", Time(expires));
    });

    public static byte[] Acknowledgement(string correlationId, DateTimeOffset now) => Write("Acknowledgement", xml => Head(xml, correlationId, now));

    public static byte[] Refused(string correlationId, string code, string text, DateTimeOffset now) => Write("Result", xml =>
    {
        Head(xml, correlationId, now);
        xml.WriteAttributeString("status", "refused");
        xml.WriteAttributeString("code", code);
        Text(xml, text);
    });

    public static byte[] Result(HubMessage message, DateTimeOffset now, bool isShuffled) => Write("Result", xml =>
    {
        Head(xml, message.CorrelationId, now);
        xml.WriteAttributeString("status", message switch
        {
            { IsRefused: true } => "refused",
            { IsDecided: false } => "pending",
            { Failures.Count: > 0 } => "partial",
            _ when message.Answers.Values.Any(a => a.Failed) => "partial",
            _ => "accepted",
        });
        if (message.Code is { } code)
        {
            xml.WriteAttributeString("code", code);
        }
        if (message.Text is { } text)
        {
            Text(xml, text);
        }
        if (message.IsRefused)
        {
            return;
        }
        foreach (var country in message.Markets)
        {
            xml.WriteStartElement("Market", HubMessageReader.Namespace);
            xml.WriteAttributeString("country", country);
            if (message.Answers.TryGetValue(country, out var answer))
            {
                xml.WriteAttributeString("state", answer.Failed ? "failed" : "distributed");
                xml.WriteAttributeString("at", Time(answer.At));
            }
            else
            {
                xml.WriteAttributeString("state", "pending");
            }
            xml.WriteEndElement();
        }
        if (!message.IsDecided)
        {
            return;
        }
        var failures = message.Failures.ToArray();
        if (isShuffled)
        {
            Random.Shared.Shuffle(failures);
        }
        foreach (var group in failures.GroupBy(f => f.Value))
        {
            xml.WriteStartElement("Failed", HubMessageReader.Namespace);
            xml.WriteAttributeString("code", group.Key.Code);
            xml.WriteAttributeString("temporary", XmlConvert.ToString(group.Key.IsTemporary));
            foreach (var (serial, _) in group)
            {
                xml.WriteElementString("Sn", HubMessageReader.Namespace, serial.ToString());
            }
            xml.WriteEndElement();
        }
    });

    public static byte[] Alerts(IReadOnlyList<HubAlert> alerts, long after) => Write("Alerts", xml =>
    {
        xml.WriteAttributeString("last", XmlConvert.ToString(alerts.Count == 0 ? after : alerts[^1].Number));
        foreach (var alert in alerts)
        {
            xml.WriteStartElement("Alert", HubMessageReader.Namespace);
            xml.WriteAttributeString("id", alert.Id);
            xml.WriteAttributeString("code", alert.Code);
            xml.WriteAttributeString("country", alert.Country);
            xml.WriteAttributeString("at", Time(alert.At));
            xml.WriteAttributeString("product", alert.Product);
            foreach (var (name, value) in new[] { ("lot", alert.Lot), ("expiry", alert.Expiry), ("sn", alert.Serial), ("user", alert.User) })
            {
                if (value is not null)
                {
                    xml.WriteAttributeString(name, value);
                }
            }
            xml.WriteString(alert.Text);
            xml.WriteEndElement();
        }
    });

    public static byte[] Holding(string country, IReadOnlyList<(SerialNumber Serial, HubChange Change)> packs, bool more) => Write("Holding", xml =>
    {
        xml.WriteAttributeString("country", country);
        xml.WriteAttributeString("more", XmlConvert.ToString(more));
        foreach (var (serial, change) in packs)
        {
            xml.WriteStartElement("P", HubMessageReader.Namespace);
            xml.WriteAttributeString("sn", serial.ToString());
            xml.WriteAttributeString("state", change.State);
            xml.WriteAttributeString("at", Time(change.At));
            xml.WriteEndElement();
        }
    });

    private static byte[] Write(string element, Action<XmlWriter> content)
    {
        using var bytes = new MemoryStream();
        using (var xml = XmlWriter.Create(bytes, s_settings))
        {
            xml.WriteStartElement(element, HubMessageReader.Namespace);
            content(xml);
            xml.WriteEndElement();
        }
        return bytes.ToArray();
    }

    private static void Head(XmlWriter xml, string correlationId, DateTimeOffset now)
    {
        xml.WriteAttributeString("correlationId", correlationId.Length == 0 ? NoMessage : correlationId);
        xml.WriteAttributeString("timestamp", Time(now));
    }

    private static void Text(XmlWriter xml, string text) =>
        xml.WriteElementString("Text", HubMessageReader.Namespace, string.Concat(text.Take(1000).Select(c => XmlConvert.IsXmlChar(c) && c is not ('\n' or '\r') ? c : ' ')));

    private static string Time(DateTimeOffset time) => XmlConvert.ToString(time.UtcDateTime, XmlDateTimeSerializationMode.Utc);
}
