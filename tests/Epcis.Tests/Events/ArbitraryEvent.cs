using Epcis.Events;
using Epcis.Formats.Xml;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Events;

/// <summary>Random events of every type, as an XML reader would give them: any subset of fields, extensions of any depth.</summary>
internal static class ArbitraryEvent
{
    /// <summary>What EPCIS 2.0 XML can hold.</summary>
    public static Arbitrary<EpcisEvent> Of20 => Event(true).ToArbitrary();

    /// <summary>What EPCIS 1.2 knows.</summary>
    public static Arbitrary<EpcisEvent> Of12 => Event(false).ToArbitrary();

    /// <summary>Without elements of no namespace, for which JSON has no place but inside others.</summary>
    public static Arbitrary<EpcisEvent> OfAllForms => Event(true, local: false).ToArbitrary();

    /// <summary>Prefix and namespace belong together, as in a document.</summary>
    public static readonly IReadOnlyDictionary<string, string> Namespaces = new Dictionary<string, string>
    {
        ["ex"] = "http://ns.example.com/epcis/",
        ["o"] = "urn:example:other",
    };

    private static readonly Gen<string> s_uri = Gen.Elements(
        "urn:epc:id:sgtin:4012345.011111.1", "urn:epc:id:sscc:4012345.0000000001", "https://id.gs1.org/01/04012345111118/21/7",
        "http://example.com/a?b=c&d=<e>", "urn:example:\"quoted\"", "urn:uuid:66bbc9a3-ae11-4a2c-8e5a-2f3e9d3f9c55", "ex:thing");

    private static readonly Gen<string> s_old = Gen.Elements("urn:epc:id:sgtin:4012345.011111.1", "urn:epc:id:sgtin:4012345.011111.2", "urn:example:a&b", "urn:example:<c>");

    private static readonly Gen<string> s_text = Gen.Elements("", "text", " in spaces ", "a&b<c>\"d\"'", "line\nfeed\r\nreturn\ttab", "Größe 😀", "]]>", "12.50");

    private static readonly Gen<(string Text, DateTimeOffset? Instant)> s_time = Gen.Elements(
        "2026-01-31T12:00:00Z", "2026-01-31T13:05:00.123456789+01:00", "2020-02-29T23:59:59.9-14:00").Select(t => (t, XmlInstant.Parse(t)));

    private static readonly Gen<EventAction?> s_action = Gen.Elements<EventAction?>(EventAction.Add, EventAction.Observe, EventAction.Delete);

    private static Gen<IReadOnlyList<T>> List<T>(Gen<T> item, int least = 0) =>
        Gen.Choose(least, least + 2).SelectMany(n => Gen.ListOf(item, n)).Select(l => (IReadOnlyList<T>)[.. l]);

    private static Gen<T?> Maybe<T>(Gen<T> gen)
        where T : class => Gen.Elements(true, false).SelectMany(there => there ? gen.Select(T? (t) => t) : Gen.Constant<T?>(null));

    /// <summary>The schemas put names of nobody's before those of others.</summary>
    private static Gen<IReadOnlyList<Extension>> Extensions(int depth, bool local) =>
        List(Extension(depth, local)).Select(l => (IReadOnlyList<Extension>)[.. l.OrderBy(x => x.Namespace.Length > 0)]);

    private static Gen<Extension> Extension(int depth, bool local) =>
        from ns in Gen.Elements("ex", "o", local ? "" : "ex")
        from name in Gen.Elements("a", "b-c", "n_1", "epcList")
        from text in s_text
        from attributes in List(from a in Gen.Elements("unit", "kind") from v in s_text select new ExtensionAttribute("", "", a, v))
        from children in depth == 0 ? Gen.Constant((IReadOnlyList<Extension>)[]) : List(Extension(depth - 1, local: true))
        from mixed in Texts(children.Count)
        from remarks in List(from before in Gen.Choose(0, children.Count) from remark in Remark("") select new ExtensionComment(before, remark.Text, remark.Target))
        select new Extension(ns.Length == 0 ? "" : Namespaces[ns], ns, name)
        {
            Text = children.Count == 0 ? text : mixed.Count > 0 ? string.Concat(mixed.Select(t => t.Text)) : null,
            Texts = mixed.Any(t => t.Before > 0) ? mixed : [],
            Attributes = [.. attributes.DistinctBy(a => a.Name)],
            Children = children,
            Comments = [.. remarks.OrderBy(r => r.Before)],
        };

    /// <summary>Text between child elements: at any place, at most one at each.</summary>
    private static Gen<IReadOnlyList<ExtensionText>> Texts(int children) => children == 0
        ? Gen.Constant((IReadOnlyList<ExtensionText>)[])
        : List(from before in Gen.Choose(0, children) from text in Gen.Elements("some ", " text & more", "]]>") select new ExtensionText(before, text))
            .Select(all => (IReadOnlyList<ExtensionText>)[.. all.DistinctBy(t => t.Before).OrderBy(t => t.Before)]);

    /// <summary>A comment or a processing instruction.</summary>
    internal static Gen<EventComment> Remark(string before) =>
        from text in Gen.Elements(" why ", "a=\"b\" & <c>", "Größe 😀") from target in Gen.Elements<string?>(null, "vendor") select new EventComment(before, target is null ? text : text.Trim(), target);

    /// <summary>Attributes of others, also on elements that are not there: those are carried.</summary>
    internal static Gen<IReadOnlyList<ElementAttributes>> Attributes(params string[] paths) =>
        List(from path in Gen.Elements(paths) from name in Gen.Elements("k", "id") from text in s_text select new ElementAttributes(path, [new ExtensionAttribute(Namespaces["ex"], "ex", name, text), new ExtensionAttribute("", "", "own", "1")]))
            .Select(all => (IReadOnlyList<ElementAttributes>)[.. all.DistinctBy(a => a.On)]);

    private static Gen<QuantityElement> Quantity(Gen<string> uri) =>
        from c in uri from n in Gen.Elements<string?>(null, "1", "200.50", "+7") from uom in Gen.Elements<string?>(null, "KGM")
        select new QuantityElement(c, n is null ? null : decimal.Parse(n, System.Globalization.CultureInfo.InvariantCulture), n, n is null ? null : uom);

    private static Gen<SensorElement> Sensor(bool local) =>
        from device in s_uri from value in Gen.Elements("26.0", "-1E3") from foreign in s_text from extensions in Extensions(1, local) from both in Gen.Elements(true, false)
        select new SensorElement
        {
            Metadata = both ? [new SensorField("", "time", "2026-01-31T12:00:00Z", false), new SensorField("", "deviceID", device, false)] : [],
            Reports = [[new SensorField("", "type", "gs1:Temperature", false), new SensorField("", "value", value, true), new SensorField(Namespaces["ex"], "ex:note", foreign, false)]],
            Extensions = extensions,
        };

    private static Gen<EpcisEvent> Event(bool is20, bool local = true)
    {
        var uri = is20 ? s_uri : s_old;
        var step = is20 ? Gen.Elements("urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-packing", "https://example.com/step") : Gen.Elements("urn:epcglobal:cbv:bizstep:shipping", "https://example.com/step");
        var place = from id in uri from x in Extensions(1, local) select new Location(id) { Extensions = x };
        var declaration =
            from t in s_time from reason in Maybe(Gen.Constant("urn:epcglobal:cbv:er:incorrect_data")) from ids in List(uri) from x in Extensions(1, local)
            select new ErrorDeclaration { DeclarationTime = t.Instant, DeclarationTimeText = t.Text, Reason = reason, CorrectiveEventIds = ids, Extensions = x };
        var disposition = from set in List(Gen.Constant("urn:epcglobal:cbv:disp:in_transit"), 1) from unset in List(Gen.Constant("https://ref.gs1.org/cbv/Disp-damaged")) select new PersistentDisposition(set, unset);
        return
            from own in Own(is20, local, uri)
            from time in s_time
            from id in Maybe(uri)
            from error in Maybe(declaration)
            from certification in is20 ? Maybe(uri) : Gen.Constant<string?>(null)
            from bizStep in Maybe(step)
            from disp in Maybe(Gen.Constant("urn:epcglobal:cbv:disp:in_progress"))
            from readPoint in Maybe(place)
            from bizLocation in Maybe(place)
            from transactions in List(from t in Maybe(Gen.Constant("urn:epcglobal:cbv:btt:po")) from v in uri select new BizTransaction(t, v), own is TransactionEvent ? 1 : 0)
            from ends in List(from v in uri select new SourceOrDestination("urn:epcglobal:cbv:sdt:owning_party", v))
            from sensors in is20 ? List(Sensor(local)) : Gen.Constant((IReadOnlyList<SensorElement>)[])
            from persistent in is20 ? Maybe(disposition) : Gen.Constant<PersistentDisposition?>(null)
            from extensions in Extensions(2, local && !is20)
            from attributes in Attributes("", "errorDeclaration", "ilmd", "extension", "extension/extension", "baseExtension", "readPoint/extension", "sensorElementList/0/extension")
            from remarks in List(Gen.Elements("Event", "eventTime", "").SelectMany(Remark))
            select own with
            {
                Attributes = attributes,
                Comments = remarks,
                EventTimeText = time.Text,
                EventTime = time.Instant,
                EventTimeZoneOffset = "+01:00",
                EventId = id,
                ErrorDeclaration = error,
                CertificationInfo = certification is null ? [] : [certification],
                BizStep = bizStep,
                Disposition = disp,
                ReadPoint = readPoint,
                BizLocation = bizLocation,
                BizTransactions = transactions,
                Sources = ends,
                Destinations = [.. ends.Skip(1)],
                SensorElements = sensors,
                PersistentDisposition = persistent,
                Extensions = extensions,
            };
    }

    private static Gen<EpcisEvent> Own(bool is20, bool local, Gen<string> uri)
    {
        var epcs = List(uri);
        var quantities = List(Quantity(uri));
        var ilmd = Extensions(2, local);
        var types = new List<Gen<EpcisEvent>>
        {
            from a in s_action from e in epcs from q in quantities from i in ilmd select (EpcisEvent)new ObjectEvent { Action = a, EpcList = e, QuantityList = q, Ilmd = i },
            from a in s_action from p in Maybe(uri) from e in epcs from q in quantities select (EpcisEvent)new AggregationEvent { Action = a, ParentId = p, ChildEpcs = e, ChildQuantityList = q },
            from a in s_action from p in Maybe(uri) from e in epcs from q in quantities select (EpcisEvent)new TransactionEvent { Action = a, ParentId = p, EpcList = e, QuantityList = q },
            from t in Maybe(uri) from e in epcs from q in quantities from o in epcs from r in quantities from i in ilmd
            select (EpcisEvent)new TransformationEvent { TransformationId = t, InputEpcList = e, InputQuantityList = q, OutputEpcList = o, OutputQuantityList = r, Ilmd = i },
        };
        if (is20)
        {
            types.Add(from a in s_action from p in uri from e in epcs from q in quantities select (EpcisEvent)new AssociationEvent { Action = a, ParentId = p, ChildEpcs = e, ChildQuantityList = q });
        }
        return Gen.OneOf(types);
    }
}
