using System.Reflection;
using Epcis.Identifiers;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Identifiers;

public sealed class IdentifierProperties
{
    private static readonly HashSet<string> s_codes = [.. typeof(ValueCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    private static CompanyPrefixes Its(Epc epc) => CompanyPrefixes.OfLength(epc.CompanyPrefixLength!.Value);

    private static void Holds(Arbitrary<Epc> epcs, Func<Epc, bool> property) =>
        Prop.ForAll(epcs, property).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    [Fact]
    public void Every_scheme_survives_every_form() => Holds(Arbitrary.Epc, e =>
        Epc.Parse(e.ToUrn()!, CompanyPrefixes.None).Value == e
        && Epc.Parse(e.ToDigitalLink(), Its(e)).Value == e
        && Epc.Parse(e.ToElementString(), Its(e)).Value == e
        // Brackets of a serial number cannot be told from those of the print.
        && (e.ToPrintedElementString().Count(c => c == '(') > 2 || e.Serial?.Contains('(', StringComparison.Ordinal) == true || e.Key.Contains('(', StringComparison.Ordinal)
            || Epc.Parse(e.ToPrintedElementString(), Its(e)).Value == e));

    [Fact]
    public void What_is_written_is_as_the_standard_writes_it() => Holds(Arbitrary.Epc, e =>
        EpcUri.Check(e.ToUrn()!) is null
        && EpcUri.Check(e.ToDigitalLink()) is null
        && EpcUri.Parse(e.ToUrn()!).Value!.ToString() == e.ToUrn()
        && EpcUri.Parse(e.ToUrn()!).Value!.ToDigitalLink() == e.ToDigitalLink()
        && DigitalLink.Parse(e.ToDigitalLink()).Value!.ToString() == e.ToDigitalLink()
        && ElementString.Parse(e.ToElementString()).Value!.ToString() == e.ToElementString());

    [Fact]
    public void Every_spelling_has_the_same_key() => Holds(Arbitrary.Epc, e =>
        EpcKey.Normalise(e.ToUrn()!) == e.ToUrn()
        && EpcKey.Normalise(e.ToDigitalLink()) == e.ToDigitalLink()
        && EpcKey.Normalise(e.ToDigitalLink(), e.CompanyPrefixLength) == e.ToUrn());

    [Fact]
    public void The_class_of_an_object_is_what_a_pattern_names_that_leaves_its_serial_number_open() => Holds(Arbitrary.Epc, e =>
    {
        if (e.IsClass || e.Scheme.IsOfClasses)
        {
            return true;
        }
        var (urn, link) = (e.ToUrn()!, e.ToDigitalLink());
        var parts = EpcUri.Parse(urn).Value!.Components.Count;
        var of = EpcKey.ClassOf(urn).ToString();
        var pattern = EpcUri.Parse($"urn:epc:idpat:{of["urn:epc:id:".Length..]}.*").Value!;
        return of.Count(c => c == '.') == parts - 2 && urn.StartsWith(of + ".", StringComparison.Ordinal)
            && (e.Scheme.Tail.Length == 0 || e.Scheme.Name == "sgln" && link.Count(c => c == '/') < 6 || EpcKey.ClassOf(link).ToString() == pattern.ToDigitalLink() + (e.Scheme.QualifierAi is { } ai ? $"/{ai}/" : ""));
    });

    [Fact]
    public void Without_its_length_a_company_prefix_is_not_known_and_everything_else_is() => Holds(Arbitrary.Epc, e =>
        Epc.Parse(e.ToDigitalLink(), CompanyPrefixes.None).Value is { CompanyPrefixLength: null } read
        && read.ToUrn() is null && read.ToDigitalLink() == e.ToDigitalLink() && read.Parts.SequenceEqual(e.Parts)
        && Identify.Read(e.ToDigitalLink(), CompanyPrefixes.None).Findings is [.., { Code: ValueCodes.CompanyPrefix, Severity: Severity.Warning }]);

    [Fact]
    public void A_wrong_digit_in_a_numeric_key_is_noticed() => Prop.ForAll(Arbitrary.Epc, Gen.Choose(0, 17).ToArbitrary(), (e, place) =>
    {
        var at = Math.Min(place + e.Scheme.Filler.Length, e.Key.Length - 1);
        var wrong = e.Key.ToCharArray();
        wrong[at] = wrong[at] == '9' ? '0' : (char)(wrong[at] + 1);
        return !e.Scheme.IsNumeric || Epc.Create(e.Scheme, new string(wrong), Its(e), [.. e.Parts.Skip(1).Select(p => p.Value)]).Finding?.Code == ValueCodes.CheckDigit;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_text_makes_a_reader_throw() => Prop.ForAll(Arbitrary.AnyText, IsAnswered).Check(Config.QuickThrowOnFailure.WithMaxTest(2000));

    [Fact]
    public void No_mutation_of_an_identifier_makes_a_reader_throw() => Prop.ForAll(Arbitrary.Mutated, IsAnswered).Check(Config.QuickThrowOnFailure.WithMaxTest(3000));

    [Fact]
    public void What_is_valid_after_a_mutation_survives_too() => Prop.ForAll(Arbitrary.Mutated, text =>
        Epc.Parse(text, CompanyPrefixes.OfLength(7)).Value is not { } e
        || e.IsClass && e.Scheme.Name is "upui" or "sgln"
        || Epc.Parse(e.ToUrn()!, CompanyPrefixes.None).Value == e && Epc.Parse(e.ToElementString(), Its(e)).Value == e).Check(Config.QuickThrowOnFailure.WithMaxTest(1000));

    /// <summary>There is an answer, and every fault says where it is, what stands there, what should, and what to do.</summary>
    private static bool IsAnswered(string text)
    {
        _ = EpcUri.Check(text);
        _ = Gln.TryFromAny(text, out _);
        _ = Gtin.Parse(text);
        var answer = Identify.Read(text, CompanyPrefixes.OfLength(7));
        return EpcKey.Normalise(EpcKey.Normalise(text)) == EpcKey.Normalise(text)
            && (answer.Valid || answer.Findings.Count > 0)
            && (!answer.Valid || answer.Type is not null || answer.Whole is not null || answer.Findings.Count > 0)
            && answer.Findings.All(f => s_codes.Contains(f.Code) && f.At >= 1 && f.At <= text.Length + 1 && f.Message.Length is > 0 and < 1000
                && f.Suggestion.Length > 0 && (f.Severity != Severity.Error || f is { Got: not null, Want: not null }));
    }
}
