using Epcis.Identifiers;

namespace Epcis.Tests.Identifiers;

public sealed class ElementStringTests
{
    private const string Gs = "\u001D";

    private static string? Urn(string text) => Epc.Parse(text, CompanyPrefixes.OfLength(7)).Value?.ToUrn();

    [Theory]
    [InlineData("]d201806141411234581725123110LOT1" + Gs + "216789")]
    [InlineData("]C10180614141123458216789")]
    [InlineData("]Q30180614141123458216789")]
    [InlineData(Gs + "0180614141123458216789" + Gs + "10LOT1" + Gs + "17251231")]
    [InlineData("0180614141123458" + Gs + "17251231" + Gs + Gs + "216789" + Gs)]
    [InlineData("17251231216789" + Gs + "0180614141123458")]
    [InlineData("(01)80614141123458(17)251231(10)LOT1(21)6789")]
    [InlineData("]d2(01)80614141123458(21)6789")]
    public void A_scanned_or_printed_symbol_gives_its_sgtin(string text) => Assert.Equal("urn:epc:id:sgtin:0614141.812345.6789", Urn(text));

    [Theory]
    [InlineData("]d20180614141123458172512311" + Gs, ValueCodes.ApplicationIdentifier)]
    [InlineData("]d20180614141123458172512" + Gs + "10A", ValueCodes.Length)]
    [InlineData("01806141411234", ValueCodes.Length)]
    [InlineData("0180614141123458211234567890123456789017251231", ValueCodes.SeparatorMissing)]
    [InlineData("(01)80614141123458(01)10614141073464(21)1", ValueCodes.Twice)]
    [InlineData("(01)80614141123458(05)1", ValueCodes.Length)]
    [InlineData("(05)1(01)80614141123458", ValueCodes.ApplicationIdentifier)]
    [InlineData("(01)80614141123458(21)", ValueCodes.Length)]
    [InlineData("(01)80614141123458(21)A#B", ValueCodes.Character)]
    [InlineData("(17)251231", ValueCodes.Form)]
    [InlineData("]E0" + "4012345678901", ValueCodes.Form)]
    [InlineData("", ValueCodes.Form)]
    [InlineData(Gs, ValueCodes.Form)]
    public void A_broken_element_string_is_refused(string text, string code) => Assert.Equal(code, Epc.Parse(text, CompanyPrefixes.OfLength(7)).Finding?.Code);

    [Fact]
    public void Where_a_separator_is_lost_no_split_is_guessed()
    {
        // The lot swallows what follows it, which nobody can tell; only a value that is too long shows it.
        Assert.Equal("LOT1216789", ElementString.Parse("018061414112345810LOT1216789").Value?["10"]);
        var finding = ElementString.Parse("018061414112345810LOT1216789012345678901234567890").Finding;
        Assert.Equal(ValueCodes.SeparatorMissing, finding?.Code);
        Assert.Contains("0x1D", finding?.Suggestion, StringComparison.Ordinal);
    }

    [Fact]
    public void A_separator_is_written_behind_values_of_variable_length_only()
    {
        var whole = ElementString.Parse("(01)80614141123458(17)251231(10)LOT1(21)6789").Value!;
        Assert.Equal("0180614141123458" + "17251231" + "10LOT1" + Gs + "216789", whole.ToString());
        Assert.Equal(whole, ElementString.Parse("]d2" + whole).Value);
    }

    [Fact]
    public void A_serial_with_brackets_is_read_where_they_hold_no_application_identifier() =>
        Assert.Equal("A(B)(05)C", ElementString.Parse("(01)80614141123458(21)A(B)(05)C").Value?["21"]);

    [Fact]
    public void A_lot_with_the_marks_of_a_web_address_makes_no_address_of_its_symbol()
    {
        const string symbol = "(01)80614141123458(10)4X://7F";
        Assert.Equal("4X://7F", Epc.Parse(symbol, CompanyPrefixes.None).Value?.Serial);
        Assert.Equal(IdentifierForm.ElementString, Identify.Read(symbol, CompanyPrefixes.None).Form);
    }

    [Fact]
    public void The_first_key_of_a_symbol_is_told_and_the_others_are_mentioned()
    {
        var read = Identify.Read("(00)006141411234567890(01)80614141123458(21)1", CompanyPrefixes.OfLength(7));
        Assert.Equal("SSCC", read.Type);
        Assert.Equal((ValueCodes.Ambiguous, 27), read.Findings.Select(f => (f.Code, f.At)).Single());
    }

    [Theory]
    [InlineData("(00)006141411234567890(02)80614141123458(37)12", "")]
    [InlineData("(00)006141411234567890(02)80614141123458", "27 (37)")]
    [InlineData("(01)80614141123458(10)LOT1(17)251231(21)1", "")]
    [InlineData("(414)0614141123452(254)A", "")]
    [InlineData("(00)006141411234567890(17)251231(10)LOT1", "27 (01) or (02) or (03) or (255) or (8006) or (8026), 37 (01) or (02) or (03) or (8006) or (8026)")]
    [InlineData("(01)80614141123458(250)B", "24 (01) with (21) or (03) with (21) or (8006) with (21)")]
    [InlineData("(01)80614141123458(3922)100(3103)000250", "")]
    [InlineData("(01)80614141123458(3922)100", "25 (01) with (30) or (01) with (31nn) or (01) with (32nn) or (01) with (35nn) or (01) with (36nn)")]
    [InlineData("(01)80614141123458(3103)000250(3102)002500", "25 one of them, 37 one of them")]
    [InlineData("(01)80614141123458(21)1(235)2", "23 one of them")]
    public void What_a_symbol_lacks_or_holds_in_vain_is_a_warning(string symbol, string wanted)
    {
        var read = Identify.Read(symbol, CompanyPrefixes.OfLength(7));
        var told = read.Findings.Where(f => f.Code == ValueCodes.Association).ToList();
        Assert.Equal(wanted, string.Join(", ", told.Select(f => $"{f.At} {f.Want}")));
        Assert.All(told, f => Assert.Equal(Severity.Warning, f.Severity));
    }

    [Theory]
    [InlineData("251231", 2026, "2025-12-31")]
    [InlineData("251200", 2026, "2025-12-31")]
    [InlineData("280200", 2026, "2028-02-29")]
    [InlineData("270200", 2026, "2027-02-28")]
    [InlineData("761231", 2026, "2076-12-31")] // 50 ahead: this century
    [InlineData("771231", 2026, "1977-12-31")] // 51 ahead: the one before
    [InlineData("450101", 2095, "2145-01-01")] // 50 behind: the next
    [InlineData("460101", 2095, "2046-01-01")] // 49 behind: this one
    [InlineData("000229", 2026, "2000-02-29")]
    [InlineData("251301", 2026, null)]
    [InlineData("250001", 2026, null)]
    [InlineData("250230", 2026, null)]
    [InlineData("25013", 2026, null)]
    [InlineData("2501x1", 2026, null)]
    [InlineData("990101", 0, null)]
    public void A_date_has_the_day_and_century_it_means(string yymmdd, int currentYear, string? date) =>
        Assert.Equal(date, Gs1Date.Read(yymmdd, currentYear)?.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture));
}
