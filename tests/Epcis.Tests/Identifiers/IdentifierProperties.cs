using Epcis.Identifiers;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Identifiers;

public sealed class IdentifierProperties
{
    [Fact]
    public void Sgtin_survives_every_form() => Prop.ForAll(Arbitrary.Sgtin, s =>
        Sgtin.FromUrn(s.ToUrn()).Value == s
        && Sgtin.FromDigitalLink(s.ToDigitalLink(), s.CompanyPrefixLength).Value == s
        && Sgtin.FromElementString(s.ToElementString(), s.CompanyPrefixLength).Value == s
        && EpcUri.Check(s.ToUrn()) is null
        && EpcUri.Parse(s.ToUrn()).Value!.ToDigitalLink() == s.ToDigitalLink()).QuickCheckThrowOnFailure();

    [Fact]
    public void Lgtin_survives_every_form() => Prop.ForAll(Arbitrary.Lgtin, l =>
        Lgtin.FromUrn(l.ToUrn()).Value == l
        && Lgtin.FromDigitalLink(l.ToDigitalLink(), l.CompanyPrefixLength).Value == l
        && Lgtin.FromElementString(l.ToElementString(), l.CompanyPrefixLength).Value == l).QuickCheckThrowOnFailure();

    [Fact]
    public void Sscc_survives_every_form() => Prop.ForAll(Arbitrary.Sscc, s =>
        Sscc.FromUrn(s.ToUrn()).Value == s
        && Sscc.FromDigitalLink(s.ToDigitalLink(), s.CompanyPrefixLength).Value == s
        && Sscc.FromElementString(s.ToPrintedElementString(), s.CompanyPrefixLength).Value == s).QuickCheckThrowOnFailure();

    [Fact]
    public void Sgln_survives_every_form_and_keeps_its_gln() => Prop.ForAll(Arbitrary.Sgln, s =>
        Sgln.FromUrn(s.ToUrn()).Value == s
        && Sgln.FromDigitalLink(s.ToDigitalLink(), s.CompanyPrefixLength).Value == s
        && Sgln.FromElementString(s.ToElementString(), s.CompanyPrefixLength).Value == s
        && Gln.FromSgln(s.ToUrn()).Value == s.Gln).QuickCheckThrowOnFailure();

    [Fact]
    public void A_wrong_digit_in_an_sscc_is_noticed() => Prop.ForAll(Arbitrary.Sscc, Gen.Choose(0, 17).ToArbitrary(), (s, at) =>
    {
        var wrong = s.Value.ToCharArray();
        wrong[at] = wrong[at] == '9' ? '0' : (char)(wrong[at] + 1);
        return !Sscc.Create(new string(wrong), s.CompanyPrefixLength).Ok;
    }).QuickCheckThrowOnFailure();

    [Fact]
    public void No_text_makes_a_reader_throw_and_every_refusal_says_why() => Prop.ForAll(Arbitrary.AnyText, text =>
    {
        var answer = Identify.Any(text, 7);
        _ = EpcUri.Check(text);
        _ = Gln.TryFromAny(text, out _);
        return EpcKey.Normalise(EpcKey.Normalise(text)) == EpcKey.Normalise(text) && (answer.Ok || answer.Error.Length > 0);
    }).QuickCheckThrowOnFailure();
}
