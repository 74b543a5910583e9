namespace Epcis.Tests.Schemas;

/// <summary>Damages JSON documents at random, from a seed: the same seed gives the same damage.</summary>
internal sealed class JsonMutator(int seed, IEnumerable<JsonDraft> corpus)
{
    // Edges of every simple type in the schema; the corpus gives its own values beside them.
    private static readonly string[] s_values =
    [
        "\"\"", "\" \"", "\"x\"", "\"foo bar\"", "0", "1", "-1", "1.0", "2.5", "-0", "1e2", "1E-7", "true", "false", "null", "{}", "[]", "[[]]",
        "[{}]", "{\"ex:a\":1}", "\"1\"", "\"true\"", "\"ADD\"", "\"add\"", "\"DELETE\"", "\"OBSERVE\"", "\"ADD \"", "\"EPCISDocument\"", "\"EPCISQueryDocument\"",
        "\"ObjectEvent\"", "\"AggregationEvent\"", "\"TransactionEvent\"", "\"TransformationEvent\"", "\"AssociationEvent\"", "\"QuantityEvent\"", "\"ex:Event\"",
        "\"2026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00\"", "\"2026-01-01T00:00Z\"", "\"2026-01-01\"", "\"2026-02-29T00:00:00Z\"", "\"2028-02-29T00:00:00Z\"",
        "\"2026-13-01T00:00:00Z\"", "\"2026-01-01T24:00:00Z\"", "\"2026-01-01T23:59:60Z\"", "\"2026-01-01T12:59:60Z\"", "\"2026-01-01T00:59:60+01:00\"",
        "\"2026-01-01T00:00:00.Z\"", "\"2026-01-01T00:00:00.123456789012Z\"", "\"2026-01-01t00:00:00z\"", "\"2026-01-01 00:00:00Z\"", "\"2026-01-01T00:00:00+0100\"",
        "\"2026-01-01T00:00:00+01\"", "\"2026-01-01T00:00:00+23:59\"", "\"2026-01-01T00:00:00+24:00\"", "\"2026-01-01T00:00:00-00:00\"", "\"0000-01-01T00:00:00Z\"",
        "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59-14:00\"", "\"12026-01-01T00:00:00Z\"", "\"2026-01-01T00:00:00Z\\n\"", "\"\u0662026-01-01T00:00:00Z\"",
        "\"+00:00\"", "\"-14:00\"", "\"+14:01\"", "\"+15:00\"", "\"Z\"", "\"01:00\"", "\"+1:00\"", "\"+01:60\"", "\"+01:00\\n\"",
        "\"urn:x:1\"", "\"x:\"", "\"x:/\"", "\"x:?\"", "\"x:#\"", "\"x:a#b#c\"", "\"1x:a\"", "\":a\"", "\"_:b0\"", "\"ex:\u00e9\"", "\"http://\"", "\"http:///a\"", "\"http://[::1]/\"",
        "\"http://[1]/\"", "\"http://[::1%25eth0]/\"", "\"http://[::ffff:1.2.3.4]:80/\"", "\"http://[v1.a:b]/\"", "\"http://[1:2:3:4:5:6:7:8:9]/\"", "\"x:/[\"", "\"x:/u@[::1]/\"",
        "\"http://a:b/\"", "\"http://a:80a/\"", "\"http://a@b@c/\"", "\"http://a b\"", "\"%zz:a\"", "\"x:%zz\"", "\"x:%41\"", "\"x:a|b\"", "\"x:a^b\"", "\"x:\\\\\"", "\"x:'\"", "\"x:\\\"\"",
        "\"urn:epcglobal:cbv:bizstep:shipping\"", "\"https://ref.gs1.org/cbv/BizStep-shipping\"", "\"https://ns.gs1.org/cbv/x\"", "\"http://ns.gs1.org/cbv/\"",
        "\"https://ns.gs1.org/cbv\"", "\"https://gs1.org/voc/Temperature\"", "\"http://www.gs1.org/voc/x\"", "\"gs1:Temperature\"", "\"cbv:BizStep-shipping\"",
        "\"shipping\"", "\"Shipping\"", "\"transforming\"", "\"in_transit\"", "\"po\"", "\"owning_party\"", "\"did_not_occur\"", "\"Temperature\"", "\"ALARM_CONDITION\"", "\"latitude\"",
        "\"KGM\"", "\"EA\"", "\"K\"", "\"KGMX\"", "\"kgm\"", "\"KG\\n\"", "\"2.0\"", "\"2.\"", "\".2\"", "\"2..0\"", "\"\u0662\"", "\"v2\"", "\"0AFF\"", "\"0aG\"", "\"https://example.org/context.jsonld\"",
    ];

    private static readonly string[] s_names =
        ["", "comment", "ex:own", "https://example.org/own", "urn:x:own", "Type", "epcClass", "eventid", "@type", "@id", "id", "set", "unset", "ilmd", "x:", "a b", "_:x", "rdfs:comment", "__proto__", "constructor"];

    private readonly Random _random = new(seed);
    private readonly (string Name, JsonDraft Value)[] _pool = [.. corpus.SelectMany(d => d.All()).SelectMany(v => v.Parts).Where(p => p.Value.All().Count < 60)];

    private readonly Dictionary<string, (string Name, JsonDraft Value)[]> _byName = corpus.SelectMany(d => d.All()).SelectMany(v => v.Parts)
        .Where(p => p.Name.Length > 0).GroupBy(p => p.Name).ToDictionary(g => g.Key, g => g.DistinctBy(p => p.Value.ToString()).Take(50).ToArray());

    /// <summary>
    /// Every document that one change makes of this one: each part dropped, doubled, emptied, wrapped, or of another value,
    /// and each known member put into each object.
    /// </summary>
    public IEnumerable<(string Change, JsonDraft Document)> SingleChanges(JsonDraft document)
    {
        string[] values = ["\"\"", "\"x\"", "\"x:y\"", "0", "true", "null", "{}", "[]"];
        var owners = document.All();
        for (var o = 0; o < owners.Count; o++)
        {
            for (var i = 0; i < owners[o].Parts.Count; i++)
            {
                var (name, value) = owners[o].Parts[i];
                yield return ($"drop {name}", Changed(o, owner => owner.Parts.RemoveAt(i)));
                yield return ($"wrap {name}", Changed(o, owner => owner.Parts[i].Value.Wrap()));
                if (owners[o].IsArray)
                {
                    yield return ($"double {value}", Changed(o, owner => owner.Parts.Add(owner.Parts[i])));
                }
                foreach (var other in values.Select(JsonDraft.Parse).Concat(_byName.GetValueOrDefault(name, []).Select(p => p.Value)))
                {
                    yield return ($"{name} is {other}", Changed(o, owner => owner.Parts[i].Value.Become(other)));
                }
            }
            foreach (var name in owners[o].IsObject ? _byName.Keys.Except(owners[o].Parts.Select(p => p.Name)) : [])
            {
                yield return ($"insert {name}", Changed(o, owner => owner.Parts.Add(_byName[name][0])));
            }
        }

        JsonDraft Changed(int at, Action<JsonDraft> change)
        {
            var copy = document.Clone();
            change(copy.All()[at]);
            return copy;
        }
    }

    /// <summary>Changes the document in place, at least once, and says how.</summary>
    public string Damage(JsonDraft document)
    {
        var changes = new List<string>();
        for (var left = _random.Next(1, 4); left > 0;)
        {
            if (Change(Pick([.. document.All().Where(v => v.Parts.Count > 0).DefaultIfEmpty(document)])) is { } change)
            {
                changes.Add(change);
                left--;
            }
        }
        return string.Join("; ", changes);
    }

    /// <returns><see langword="null"/> when this damage fits nothing here.</returns>
    private string? Change(JsonDraft owner)
    {
        if (owner.Parts.Count == 0)
        {
            owner.Become(JsonDraft.Parse(Pick(s_values)));
            return "all replaced";
        }
        var at = _random.Next(owner.Parts.Count);
        var (name, value) = owner.Parts[at];
        switch (_random.Next(15))
        {
            case 0:
                owner.Parts.RemoveAt(at);
                return $"drop {name}";
            case 1 when owner.IsArray || _random.Next(8) == 0:
                owner.Parts.Insert(_random.Next(owner.Parts.Count + 1), (name, value.Clone()));
                return $"duplicate {name}";
            case 1 or 2:
                var other = _random.Next(owner.Parts.Count);
                (owner.Parts[at], owner.Parts[other]) = (owner.Parts[other], owner.Parts[at]);
                return $"exchange {name} and {owner.Parts[at].Name}";
            case 3 when owner.IsObject:
                owner.Parts[at] = (_random.Next(2) == 0 ? Pick(_pool).Name : Pick(s_names), value);
                return $"rename {name} to {owner.Parts[at].Name}";
            case 4 or 5:
                value.Become(JsonDraft.Parse(Pick(s_values)));
                return $"{name} is {value}";
            case 6:
                // Mostly what stands under this name elsewhere: another action, another type.
                value.Become(Pick(_random.Next(3) > 0 && _byName.TryGetValue(name, out var values) ? values : _pool).Value);
                return $"{name} is {value}";
            case 7 when value.Literal.Length > 2 && value.IsString:
                value.Become(JsonDraft.String(Misspelt(JsonDraft.Parse(value.Literal).Literal.Trim('"'))));
                return $"{name} is {value}";
            case 8:
                var added = Pick(_pool);
                owner.Parts.Insert(at, (owner.IsArray ? "" : added.Name, added.Value.Clone()));
                return $"insert {added.Name} before {name}";
            case 9 when owner.IsObject:
                owner.Parts.Insert(at, (Pick(s_names), JsonDraft.Parse(Pick(s_values))));
                return $"insert {owner.Parts[at].Name} before {name}";
            case 10:
                value.Wrap();
                return $"wrap {name}";
            case 11 when value.Parts.Count > 0 && _random.Next(2) == 0:
                value.Become(Pick([.. value.Parts]).Value);
                return $"unwrap {name}";
            case 11 or 12 when value.IsArray:
                value.Parts.Clear();
                return $"empty {name}";
            case 13:
                // An event becomes one of another type, or a document one of another kind.
                value = owner.Parts.FirstOrDefault(p => p.Name == "type").Value ?? value;
                value.Become(JsonDraft.Parse(s_values[_random.Next(27, 36)]));
                return $"type is {value}";
            default:
                return null;
        }
    }

    private string Misspelt(string text)
    {
        var at = _random.Next(text.Length);
        return _random.Next(3) switch
        {
            0 => text.Remove(at, 1),
            1 => text.Insert(at, Pick([" ", "%", ":", "/", "\\", "#", "?", "[", "é", "x", "0", "."])),
            _ => text[..at] + Pick(["A", "a", "9", "-", "_", "%4", "@"]) + text[(at + 1)..],
        };
    }

    private T Pick<T>(T[] items) => items[_random.Next(items.Length)];
}
