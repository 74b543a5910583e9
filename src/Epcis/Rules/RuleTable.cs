namespace Epcis.Rules;

/// <summary>The table of severities. It says for each profile whether a breach refuses the document, is shown, or is not looked for.</summary>
internal static class RuleTable
{
    // The first column is what captures are held to: since it was fixed, rules that came later do not refuse in it.
    private const string Rows = """
                        none       dscsa-1.2  dscsa-1.3  compliant  compatible
        EPCIS-TIME-01   error      error      error      error      error
        EPCIS-TIME-02   error      error      error      error      error
        EPCIS-TIME-03   warning    warning    warning    warning    warning
        EPCIS-OBJ-01    error      error      error      error      error
        EPCIS-ILMD-01   error      error      error      error      error
        EPCIS-ILMD-02   warning    error      error      error      error
        EPCIS-AGG-01    error      error      error      error      error
        EPCIS-AGG-02    error      error      error      error      error
        EPCIS-ASSOC-01  error      error      error      error      error
        EPCIS-ASSOC-02  error      error      error      error      error
        EPCIS-TXN-01    error      error      error      error      error
        EPCIS-TXN-02    error      error      error      error      error
        EPCIS-XFORM-01  error      error      error      error      error
        EPCIS-PAR-01    warning    error      error      error      error
        EPCIS-PAR-02    warning    error      error      warning    warning
        EPCIS-QTY-01    error      error      error      error      error
        EPCIS-QTY-02    error      error      error      error      error
        EPCIS-QTY-03    error      error      error      error      error
        EPCIS-QTY-04    warning    warning    warning    error      warning
        EPCIS-QTY-05    warning    error      error      error      error
        EPCIS-LOC-01    warning    error      error      error      warning
        EPCIS-ERR-01    error      error      error      error      error
        EPCIS-ERR-02    warning    warning    warning    warning    warning
        EPCIS-ERR-03    warning    error      error      error      error
        EPCIS-ERR-04    info       warning    warning    info       info
        EPCIS-PDISP-01  warning    warning    warning    warning    warning
        EPCIS-PDISP-02  error      error      error      error      error
        EPCIS-PDISP-03  warning    error      error      error      error
        EPCIS-DUP-01    warning    warning    warning    warning    warning
        EPCIS-EPC-01    error      error      error      error      error
        EPCIS-EPC-02    error      error      error      error      error
        EPCIS-EPC-03    warning    warning    warning    warning    warning
        EPCIS-EPC-04    warning    error      error      error      error
        EPCIS-EPC-05    warning    error      error      error      error
        EPCIS-EPC-06    warning    warning    warning    warning    warning
        EPCIS-URI-01    warning    error      error      error      error
        EPCIS-SENS-01   warning    warning    warning    error      error
        EPCIS-SENS-02   warning    warning    warning    warning    warning
        EPCIS-SENS-03   warning    warning    warning    warning    warning
        EPCIS-SENS-04   warning    warning    warning    warning    warning
        EPCIS-SENS-05   warning    warning    warning    warning    warning
        EPCIS-SENS-06   warning    warning    warning    warning    warning
        EPCIS-SENS-07   warning    warning    warning    warning    warning
        CBV-TERM-01     error      error      error      error      error
        CBV-TERM-02     warning    warning    warning    error      warning
        CBV-TERM-03     off        warning    warning    error      off
        CBV-ERR-01      error      error      error      error      error
        CBV-STEP-01     info       error      error      error      info
        CBV-STEP-02     info       warning    warning    warning    warning
        CBV-DISP-01     info       warning    warning    warning    warning
        CBV-LOC-01      info       error      error      warning    warning
        CBV-SD-01       warning    error      error      error      warning
        CBV-SD-02       info       warning    warning    warning    warning
        CBV-BT-01       warning    error      error      error      warning
        CBV-ID-01       off        warning    warning    error      off
        CBV-ID-02       off        warning    warning    warning    warning
        CBV-COMP-01     warning    warning    warning    error      warning
        CBV-SENS-01     warning    warning    warning    error      warning
        DSCSA-DOC-01    off        off        error      off        off
        DSCSA-DOC-02    off        warning    off        off        off
        DSCSA-SBDH-01   off        error      error      off        off
        DSCSA-SBDH-02   off        error      error      off        off
        DSCSA-SBDH-03   off        error      error      off        off
        DSCSA-SBDH-04   off        warning    warning    off        off
        DSCSA-TIME-01   off        warning    warning    off        off
        DSCSA-TIME-02   off        warning    warning    off        off
        DSCSA-TS-01     off        error      error      off        off
        DSCSA-TS-02     off        error      error      off        off
        DSCSA-MD-01     off        error      error      off        off
        DSCSA-MD-02     off        error      error      off        off
        DSCSA-MD-03     off        error      error      off        off
        DSCSA-MD-04     off        error      error      off        off
        DSCSA-NDC-01    off        off        error      off        off
        DSCSA-NDC-02    off        error      off        off        off
        DSCSA-NDC-03    off        warning    warning    off        off
        DSCSA-NDC-04    off        warning    warning    off        off
        DSCSA-COM-01    off        error      error      off        off
        DSCSA-COM-02    off        error      error      off        off
        DSCSA-COM-03    off        error      error      off        off
        DSCSA-COM-04    off        error      error      off        off
        DSCSA-EVT-01    off        warning    warning    off        off
        DSCSA-EVT-02    off        warning    warning    off        off
        DSCSA-SHIP-01   off        error      error      off        off
        DSCSA-SHIP-02   off        error      error      off        off
        DSCSA-SHIP-03   off        warning    warning    off        off
        DSCSA-STEP-01   off        error      off        off        off
        DSCSA-VOID-01   off        warning    warning    off        off
        DSCSA-EXT-01    off        off        error      off        off
        DSCSA-EXT-02    off        error      off        off        off
        DSCSA-EXT-03    off        warning    warning    off        off
        DSCSA-LOT-01    off        off        warning    off        off
        DSCSA-LOT-02    off        warning    warning    off        off
        DSCSA-LOT-03    off        warning    warning    off        off
        DSCSA-HIST-01   off        error      error      off        off
        DSCSA-HIST-02   off        error      error      off        off
        DSCSA-HIST-03   off        error      error      off        off
        DSCSA-HIST-04   off        error      error      off        off
        DSCSA-HIST-05   off        warning    warning    off        off
        DSCSA-HIST-06   off        warning    warning    off        off
        DSCSA-HIST-07   off        error      error      off        off
        DSCSA-HIST-08   off        warning    warning    off        off
        DSCSA-HIST-09   off        warning    warning    off        off
        """;

    private static readonly (string Code, string[] Words)[] Parsed =
        [.. Rows.Split('\n').Skip(1).Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(words => (words[0], words[1..]))];

    /// <summary>Every code of the table, in its order.</summary>
    public static IEnumerable<string> Codes => Parsed.Select(row => row.Code);

    /// <summary>The rules that are on in a profile.</summary>
    public static IEnumerable<KeyValuePair<string, Severity>> Column(RuleProfile profile) =>
        Parsed.Where(row => row.Words[(int)profile] != "off")
            .Select(row => KeyValuePair.Create(row.Code, Enum.Parse<Severity>(row.Words[(int)profile], ignoreCase: true)));
}
