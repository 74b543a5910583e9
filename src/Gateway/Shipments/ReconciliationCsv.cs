using Gateway.Http;

namespace Gateway.Shipments;

/// <summary>The reconciliation as a table for other programs.</summary>
public static class ReconciliationCsv
{
    /// <summary>The names of the columns.</summary>
    public const string Header = "partner,name,gtin,lot,captured,sent,acknowledged,received,assumed,waiting,unsent,refused,miscounted";

    /// <summary>A lot as a row.</summary>
    public static string Row(ReconciledLot l) =>
        Csv.Row((object?[])[l.Partner, l.PartnerName, l.Gtin, l.Lot, l.Captured, l.Sent, l.Acknowledged, l.Received, l.Assumed, l.Waiting, l.Unsent, l.Refused, l.Miscounted]);
}
