using Epcis.Identifiers;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Identifiers;

/// <summary>Random identifiers: every scheme, any prefix length, any digits, serials of all their characters.</summary>
internal static class Arbitrary
{
    private const string Set82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    private const string Set39 = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    private const string Figures = "0123456789";

    private static Gen<string> Text(string characters, Gen<int> length) =>
        length.SelectMany(n => Gen.ArrayOf(Gen.Elements(characters.ToCharArray()), n)).Select(c => new string(c));

    private static string MembersOf(Gs1Characters characters) => characters == Gs1Characters.Numeric ? Figures : characters == Gs1Characters.Set39 ? Set39 : Set82;

    /// <summary>Of a numeric key the digits before the check digit, of another a prefix of twelve digits and a reference.</summary>
    private static Gen<string> Key(EpcScheme scheme)
    {
        if (!scheme.IsNumeric)
        {
            return from prefix in Text(Figures, Gen.Constant(12)) from reference in Text(MembersOf(scheme.ReferenceCharacters), Gen.Choose(1, 18)) select prefix + reference;
        }
        var length = scheme.KeyLengthOf(new string('0', 99)) - scheme.Filler.Length - 1;
        return Text(Figures, Gen.Constant(length)).Select(digits => scheme.Filler + digits + CheckDigit.Of(digits));
    }

    private static Gen<string> Value(EpcField field) =>
        Text(MembersOf(field.Characters), Gen.Choose(field.MinLength, field.MaxLength)).Select(v => field.MayBeginWithZero ? v : "1" + v[1..]);

    private static Gen<string[]> Tail(EpcScheme scheme, bool isClass) =>
        scheme.Tail.SkipLast(isClass ? 1 : 0).Aggregate(Gen.Constant(Array.Empty<string>()), (before, field) => from b in before from v in Value(field) select b.Append(v).ToArray());

    /// <summary>Classes of UPUI and SGLN are left out: as a link or symbol they are those of an SGTIN, and a place without extension.</summary>
    private static bool HasClass(EpcScheme scheme) => scheme is { Tail.Length: > 0, IsOfClasses: false, Name: not ("upui" or "sgln") };

    private static Gen<Epc> EpcOf(EpcScheme scheme) =>
        from key in Key(scheme)
        from length in Gen.Choose(6, 12)
        from isClass in HasClass(scheme) ? Gen.Elements(true, false) : Gen.Constant(false)
        from tail in Tail(scheme, isClass)
        select Epcis.Identifiers.Epc.Create(scheme, key, CompanyPrefixes.OfLength(length), tail).Value!;

    public static Arbitrary<Epc> Epc => Gen.OneOf(EpcScheme.All.Select(EpcOf)).ToArbitrary();

    /// <summary>An identifier in one of its spellings, with up to three characters changed, added or lost.</summary>
    public static Arbitrary<string> Mutated
    {
        get
        {
            var places = from at in Gen.Choose(0, 99) from c in Gen.Elements((Set82 + " #@$~{}[]\u001D\u00e9\ud800\0").ToCharArray()) from kind in Gen.Choose(0, 2) select (at, c, kind);
            return (from e in Epc.Generator
                    from spelling in Gen.Elements<Func<Epc, string>>(
                        x => x.ToUrn()!, x => x.ToDigitalLink(), x => x.ToElementString(), x => x.ToPrintedElementString(),
                        x => x.ToDigitalLink() + "?17=251231&3103=000195", x => "]d2" + x.ToElementString() + "\u001D17251200\u001D10LOT", x => x.Key)
                    from count in Gen.Choose(0, 3)
                    from changes in Gen.ArrayOf(places, count)
                    select changes.Aggregate(spelling(e), Change)).ToArbitrary();
        }
    }

    private static string Change(string text, (int At, char C, int Kind) change)
    {
        var at = change.At % (text.Length + 1);
        return change.Kind switch
        {
            0 => text.Insert(at, change.C.ToString()),
            1 when at < text.Length => text.Remove(at, 1),
            _ when at < text.Length => text.Remove(at, 1).Insert(at, change.C.ToString()),
            _ => text,
        };
    }

    public static Arbitrary<string> AnyText =>
        Text(Set82 + " #@$~{}\u001D\u00e9]", Gen.Choose(0, 40)).SelectMany(tail => Gen.Elements(
            "", "urn:epc:", "urn:epc:id:sgtin:", "urn:epc:id:sscc:0614141.", "urn:epc:class:lgtin:0614141.012345.", "urn:epc:idpat:cpi:", "urn:epc:tag:sgtin-96:3.",
            "https://id.gs1.org/01/", "https://id.gs1.org/8003/", "https://example.com/414/0614141123452/254/", "http://a/01/80614141123458?", "(01)", "(8010)", "01", "8003",
            "]d20180614141123458", "]C1", "00").Select(head => head + tail)).ToArbitrary();
}
