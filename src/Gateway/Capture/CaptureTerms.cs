using Dapper;
using Epcis.Cbv;
using Epcis.Events;
using Gateway.Database;

namespace Gateway.Capture;

/// <summary>The words a document can be looked up by: its lots, document numbers and products. A fold over its events.</summary>
internal sealed class CaptureTerms
{
    /// <summary>A document with more words than this is found by its first ones.</summary>
    public const int MaxTerms = 1_000;

    private const int MaxLength = 200;
    private readonly HashSet<(string Kind, string Term)> _terms = [];
    private readonly HashSet<string> _products = new(StringComparer.Ordinal);
    private readonly HashSet<string>.AlternateLookup<ReadOnlySpan<char>> _productsSeen;
    private string _last = "\0";

    public CaptureTerms() => _productsSeen = _products.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The products of an event that is stored: they are what serial numbers are looked up with.</summary>
    public void SeeProducts(IReadOnlyList<(short Role, string Epc)> epcs)
    {
        foreach (var (_, epc) in epcs)
        {
            // Nearly every EPC is of the product before it, or of one already seen: no string is made for it.
            if (!epc.StartsWith(_last, StringComparison.Ordinal) && ProductOf(epc) is { Length: > 0 } product && _products.Count < MaxTerms && !_productsSeen.TryGetValue(product, out _last!))
            {
                _products.Add(_last = product.ToString());
            }
        }
    }

    public void See(EpcisEvent e)
    {
        foreach (var transaction in e.BizTransactions)
        {
            Add("document", transaction.Value);
            Add("document", transaction.Value[(transaction.Value.LastIndexOf(':') + 1)..]);
        }
        foreach (var lot in LotsOf(e))
        {
            Add("lot", lot);
        }
    }

    /// <summary>The document's lot; null when it names none, or several.</summary>
    public string? OnlyLot => OnlyOf(_terms.Where(t => t.Kind == "lot").Select(t => t.Term));

    /// <summary>The lots that an event says its objects are of.</summary>
    public static IEnumerable<string?> LotsOf(EpcisEvent e) =>
        (e switch { ObjectEvent o => o.Ilmd, TransformationEvent t => t.Ilmd, _ => [] }).Where(x => x.Name == "lotNumber").Select(x => x.Text);

    /// <summary>The value that all are; null when there is none, or another.</summary>
    public static string? OnlyOf(IEnumerable<string> values) => values.Distinct(StringComparer.Ordinal).Take(2).ToList() is [var only] ? only : null;

    /// <summary>Stores the words of several captures of one party.</summary>
    public static async Task StoreAsync(Work work, int partyId, IEnumerable<(long CaptureId, CaptureTerms Terms, DocumentHeader Header)> captures)
    {
        var all = captures.SelectMany(c => c.Terms.AllWith(c.Header).Select(t => (c.CaptureId, t.Kind, t.Term))).ToList();
        if (all.Count > 0)
        {
            await work.Connection.ExecuteAsync("""
                insert into capture_term (kind, term, capture_id, party_id) select kind, term, capture_id, @partyId from unnest(@kinds, @terms, @captures) as t (kind, term, capture_id)
                """, new { partyId, kinds = all.Select(t => t.Kind).ToArray(), terms = all.Select(t => t.Term).ToArray(), captures = all.Select(t => t.CaptureId).ToArray() }, work.Transaction);
        }
    }

    private IEnumerable<(string Kind, string Term)> AllWith(DocumentHeader header)
    {
        Add("document", header.Sbdh?.InstanceIdentifier);
        return _terms.Concat(_products.Select(p => (Kind: "product", Term: p))).Take(MaxTerms);
    }

    /// <summary>An SGTIN up to its serial number, in either form it is stored in; empty for everything else.</summary>
    internal static ReadOnlySpan<char> ProductOf(string epc)
    {
        const string urn = "urn:epc:id:sgtin:", link = "/21/";
        if (epc.StartsWith(urn, StringComparison.Ordinal))
        {
            var first = epc.IndexOf('.', urn.Length);
            var second = first < 0 ? -1 : epc.IndexOf('.', first + 1);
            return second < 0 ? default : epc.AsSpan(0, second + 1);
        }
        var serial = epc.StartsWith("https://id.gs1.org/01/", StringComparison.Ordinal) ? epc.IndexOf(link, StringComparison.Ordinal) : -1;
        return serial < 0 ? default : epc.AsSpan(0, serial + link.Length);
    }

    private void Add(string kind, string? term)
    {
        if (!string.IsNullOrWhiteSpace(term) && term.Length <= MaxLength && _terms.Count < MaxTerms)
        {
            _terms.Add((kind, CaptureRecords.Storable(term.Trim())!));
        }
    }
}
