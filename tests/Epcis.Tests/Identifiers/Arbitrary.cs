using Epcis.Identifiers;
using FsCheck;
using FsCheck.Fluent;

namespace Epcis.Tests.Identifiers;

/// <summary>Random identifiers: any prefix length, any digits, serials of all 82 characters.</summary>
internal static class Arbitrary
{
    private const string Set82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

    private static Gen<string> Digits(int length) => Text("0123456789", Gen.Constant(length));

    private static Gen<string> Serial => Text(Set82, Gen.Choose(1, 20));

    private static Gen<string> Text(string characters, Gen<int> length) =>
        length.SelectMany(n => Gen.ArrayOf(Gen.Elements(characters.ToCharArray()), n)).Select(c => new string(c));

    private static Gen<string> Checked(int length) => Digits(length - 1).Select(d => d + CheckDigit.Of(d));

    private static Gen<int> PrefixLength => Gen.Choose(6, 12);

    public static Arbitrary<Sgtin> Sgtin =>
        (from gtin in Checked(14) from length in PrefixLength from serial in Serial
         select Epcis.Identifiers.Sgtin.Create(Gtin.Parse(gtin).Value!, length, serial).Value!).ToArbitrary();

    public static Arbitrary<Lgtin> Lgtin =>
        (from gtin in Checked(14) from length in PrefixLength from lot in Serial
         select Epcis.Identifiers.Lgtin.Create(Gtin.Parse(gtin).Value!, length, lot).Value!).ToArbitrary();

    public static Arbitrary<Sscc> Sscc =>
        (from digits in Checked(18) from length in PrefixLength select Epcis.Identifiers.Sscc.Create(digits, length).Value!).ToArbitrary();

    public static Arbitrary<Sgln> Sgln =>
        (from gln in Checked(13) from length in PrefixLength from extension in Serial
         select Epcis.Identifiers.Sgln.Create(Gln.Parse(gln).Value!, length, extension).Value!).ToArbitrary();

    public static Arbitrary<string> AnyText =>
        Text(Set82 + " #@$~{}\u001D\u00e9]", Gen.Choose(0, 40)).SelectMany(tail => Gen.Elements(
            "", "urn:epc:id:sgtin:", "urn:epc:id:sscc:0614141.", "urn:epc:class:lgtin:0614141.012345.", "https://id.gs1.org/01/",
            "https://example.com/414/0614141123452/254/", "(01)", "01", "]d20180614141123458", "00").Select(head => head + tail)).ToArbitrary();
}
