using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Gateway.Database;

namespace Gateway.Audit;

/// <summary>
/// The entries of an export as pages that a person reads in any browser, and the signatures among them. They are made from the sealed
/// bytes. A signed list of their hashes (<see cref="SignedNote"/>) says that they are as the gateway wrote them, whatever later versions
/// would write; it names the head of the export, so that pages of another export do not pass.
/// </summary>
public static class ReadableExport
{
    /// <summary>On a page.</summary>
    public const int EntriesAtOnce = 1_000;

    internal const string Folder = "readable", Index = "index.html", Signatures = "signatures.html", List = "pages.txt";

    private const string Title = "gateway readable export v1";

    private const string Style = """
        body{font:14px/1.4 system-ui,sans-serif;margin:2rem;color:#111}h1{font-size:1.4rem}table{border-collapse:collapse;width:100%;margin:.5rem 0}
        th,td{border:1px solid #bbb;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:break-word}th{background:#eee;white-space:nowrap}td td,.mono{font-size:12px;overflow-wrap:anywhere}
        .num,.at{white-space:nowrap}.num{text-align:right}.mono{font-family:monospace}@media print{body{margin:0;font-size:10px}tr{break-inside:avoid}thead{display:table-header-group}}
        """;

    private static readonly HtmlEncoder s_html = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>Writes the pages of an export whose other files are all there.</summary>
    internal static async Task WriteAsync(DirectoryInfo export, ExportHead head, SealKey key, CancellationToken ct)
    {
        var folder = export.CreateSubdirectory(Folder);
        var pages = new List<string>();
        await using (var index = Page(folder, Index, "Audit trail"))
        {
            await WriteIndexAsync(index, head, key);
            await using (var signatures = Page(folder, Signatures, "Signatures"))
            {
                await signatures.WriteAsync("<p><a href=\"index.html\">Audit trail</a></p>\n<table><thead><tr><th>Entry</th><th>Signed by</th><th>Role</th><th>When</th><th>Meaning</th><th>Record</th><th>Version</th><th>Content (SHA-256)</th></tr></thead><tbody>\n");
                await WriteEntriesAsync(export, folder, index, signatures, pages, ct);
                await signatures.WriteAsync("</tbody></table>\n</body></html>\n");
            }
            await index.WriteAsync("</tbody></table>\n</body></html>\n");
        }
        var list = new StringBuilder($"{Title}\norigin {head.Origin:D}\nhead ").Append(await HashAsync(Path.Combine(export.FullName, TrailExport.Head), ct)).Append('\n');
        foreach (var page in (IEnumerable<string>)[Index, Signatures, .. pages])
        {
            list.Append(await HashAsync(Path.Combine(folder.FullName, page), ct)).Append(' ').Append(page).Append('\n');
        }
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, List), SignedNote.Sign(list.Append('\n').ToString(), key), ct);
    }

    /// <summary>What of the pages is not as it was written, as sentences.</summary>
    /// <param name="keyOf">The public key of a number; null when it is not trusted.</param>
    /// <param name="signers">The key that signed the newest checkpoint, and the one that has replaced it: no other signs pages.</param>
    internal static IEnumerable<string> Problems(DirectoryInfo export, ExportHead head, Func<string, ECDsa?> keyOf, IReadOnlyCollection<string?> signers)
    {
        var folder = Path.Combine(export.FullName, Folder);
        var path = Path.Combine(folder, List);
        if (!File.Exists(path))
        {
            return [$"The signed list of the readable pages is missing: {Folder}/{List}."];
        }
        var note = File.ReadAllText(path).ReplaceLineEndings("\n");
        var signer = SignedNote.SignerOf(note, keyOf, out var wrong);
        if (wrong is not null || signer is null)
        {
            return [$"The list of the readable pages is not to be believed. {wrong}"];
        }
        // A folder may hold any key; those that signed nothing else, or were replaced, vouch for no page.
        if (!signers.Contains(signer))
        {
            return [$"The list of the readable pages is signed with the key {signer}, which did not sign the newest checkpoint."];
        }
        var lines = SignedNote.BodyOf(note).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 4 || lines[0] != Title || lines[1] != $"origin {head.Origin:D}" || lines[2] != $"head {Hash(Path.Combine(export.FullName, TrailExport.Head))}")
        {
            return ["The readable pages are not those of this export."];
        }
        var pages = lines[3..].Select(l => l.Split(' ', 2)).DistinctBy(l => l[^1]).ToDictionary(l => l[^1], l => l[0], StringComparer.Ordinal);
        var there = Directory.EnumerateFileSystemEntries(folder).Select(f => Path.GetFileName(f)).Where(f => f != List).ToHashSet(StringComparer.Ordinal);
        return pages.Where(p => !there.Contains(p.Key)).Select(p => $"The readable page {p.Key} is missing.")
            .Concat(there.Where(f => !pages.ContainsKey(f)).Order(StringComparer.Ordinal).Select(f => $"{Folder}/{f} is no page that was written with this export."))
            .Concat(pages.Where(p => there.Contains(p.Key) && Hash(Path.Combine(folder, p.Key)) != p.Value).Select(p => $"The readable page {p.Key} is not as it was written."));
    }

    private static async Task WriteIndexAsync(StreamWriter index, ExportHead head, SealKey key)
    {
        await index.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"""
            <p>Written by gateway {Text(Installation.Build)}, installation {head.Origin:D}. Period: {(head.From is { } from ? Time(from) : "from the first entry")} – {(head.To is { } to ? Time(to) : "to the last that was sealed")}. Signed with the key <span class="mono">{key.Id}</span>.</p>
            <p><code>gateway verify</code> with this folder proves these pages and the entries, from its files alone: this text by itself proves nothing.</p>
            <table><thead><tr><th>Epoch</th><th>First leaf</th><th>Last leaf</th><th>Sealed leaves</th></tr></thead><tbody>

            """));
        foreach (var epoch in head.Epochs)
        {
            await index.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"<tr><td class=\"num\">{epoch.Epoch}</td><td class=\"num\">{epoch.From}</td><td class=\"num\">{epoch.To - 1}</td><td class=\"num\">{epoch.Size}</td></tr>\n"));
        }
        await index.WriteAsync($"</tbody></table>\n<p><a href=\"{Signatures}\">Signatures</a></p>\n<table><thead><tr><th>Page</th><th>First entry</th><th>Recorded</th><th>Entries</th></tr></thead><tbody>\n");
    }

    private static async Task WriteEntriesAsync(DirectoryInfo export, DirectoryInfo folder, StreamWriter index, StreamWriter signatures, List<string> pages, CancellationToken ct)
    {
        using var entries = new ExportReading(Path.Combine(export.FullName, TrailExport.Entries));
        StreamWriter? page = null;
        try
        {
            var (count, first) = (0, "");
            while (entries.MoveNext())
            {
                ct.ThrowIfCancellationRequested();
                if (page is null)
                {
                    pages.Add(string.Create(CultureInfo.InvariantCulture, $"entries-{pages.Count + 1:000000}.html"));
                    page = Page(folder, pages[^1], $"Entries, page {pages.Count}");
                    await page.WriteAsync("<p><a href=\"index.html\">Audit trail</a></p>\n<table><thead><tr><th>Entry</th><th>Recorded</th><th>Who</th><th>What</th><th>Why</th></tr></thead><tbody>\n");
                }
                var (row, head, signature) = Row(entries);
                first = count == 0 ? head : first;
                await page.WriteAsync(row);
                await signatures.WriteAsync(signature);
                if (++count == EntriesAtOnce)
                {
                    await EndAsync();
                }
            }
            if (page is not null)
            {
                await EndAsync();
            }

            async Task EndAsync()
            {
                await page!.WriteAsync("</tbody></table>\n</body></html>\n");
                await page.DisposeAsync();
                await index.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"<tr><td><a href=\"{pages[^1]}\">{pages.Count}</a></td>{first}<td class=\"num\">{count}</td></tr>\n"));
                (page, count) = (null, 0);
            }
        }
        finally
        {
            if (page is not null)
            {
                await page.DisposeAsync();
            }
        }
    }

    /// <returns>The entry's row, its number and time for the index, and its row among the signatures, which is empty when it is none.</returns>
    private static (string Row, string Head, string Signature) Row(ExportReading entries)
    {
        if (!entries.TryRead(out var entry) || !entry.IsThere)
        {
            return Said(entry.Ord, "The entry is gone.");
        }
        try
        {
            return Row(entry);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            return Said(entry.Ord, "The entry is not as the gateway writes entries.");
        }

        static (string, string, string) Said(long ord, string sentence) =>
            (string.Create(CultureInfo.InvariantCulture, $"<tr><td class=\"num\">{ord}</td><td colspan=\"4\">{sentence}</td></tr>\n"), string.Create(CultureInfo.InvariantCulture, $"<td class=\"num\">{ord}</td><td></td>"), "");
    }

    private static (string Row, string Head, string Signature) Row(in ReadEntry entry)
    {
        using var canonical = JsonDocument.Parse(entry.Canonical.ToArray());
        var said = canonical.RootElement;
        var at = DateTime.Parse(said.GetProperty("at").GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AdjustToUniversal);
        var head = string.Create(CultureInfo.InvariantCulture, $"<td class=\"num\">{entry.Ord}</td><td class=\"at\">{Time(at)}</td>");
        var row = new StringBuilder("<tr id=\"e").Append(CultureInfo.InvariantCulture, $"{entry.Ord}\">{head}<td>{Said("<br>", Of("actorName"), Said(", ", Of("actor"), Of("actorRole")), Said(", ", Of("method"), Of("origin")))}</td><td>{Of("action")} {Of("entity")} <b>{Of("key")}</b>, version {Of("version")}");
        var changes = FieldChange.Between(Json("old"), Json("new"));
        if (changes.Count > 0)
        {
            row.Append("<table><thead><tr><th>Field</th><th>Before</th><th>After</th></tr></thead><tbody>");
            foreach (var change in changes)
            {
                row.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(change.Field)}</td><td>{Value(change.Before)}</td><td>{Value(change.After)}</td></tr>");
            }
            row.Append("</tbody></table>");
        }
        row.Append(CultureInfo.InvariantCulture, $"</td><td>{Of("reason")}</td></tr>\n");
        return (row.ToString(), head, IsSignature() ? SignatureRow(entry.Ord, said.GetProperty("new")) : "");

        string Of(string name) => Text(said.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : "");
        string? Json(string name) => said.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : null;
        bool IsSignature() => Of("entity") == "signature" && Of("action") == "insert" && said.GetProperty("new").ValueKind == JsonValueKind.Object;
    }

    // Who, when with the zone, and what for: 21 CFR 11.50.
    private static string SignatureRow(long ord, JsonElement signature)
    {
        return string.Create(CultureInfo.InvariantCulture, $"<tr><td class=\"num\">{ord}</td><td>{Of("signer_name")}<br>{Of("signer")}</td><td>{Of("signer_role")}</td><td class=\"at\">{At()} {Of("zone")}</td><td>{Of("meaning")}<br>{Of("sentence")}</td><td>{Of("record_type")} {Of("record_id")}<br>{Of("title")}</td><td class=\"num\">{Of("version")}</td><td class=\"mono\">{Of("content_sha256").Replace("\\x", "", StringComparison.Ordinal)}</td></tr>\n");

        string At() => DateTimeOffset.TryParse(Raw("signed_at"), CultureInfo.InvariantCulture, out var at) ? at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) : Of("signed_at");

        string Raw(string name) => signature.TryGetProperty(name, out var value) ? value.ToString() : "";
        string Of(string name) => Text(Raw(name));
    }

    private static StreamWriter Page(DirectoryInfo folder, string name, string title)
    {
        var page = new StreamWriter(new FileStream(Path.Combine(folder.FullName, name), FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 16));
        page.Write($"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title><style>\n{Style}\n</style></head><body>\n<h1>{title}</h1>\n");
        return page;
    }

    private static string Time(DateTime at) => at.ToString("yyyy-MM-dd HH:mm:ss.ffffff 'UTC'", CultureInfo.InvariantCulture);

    private static string Text(string text) => s_html.Encode(text);

    private static string Said(string between, params IEnumerable<string> parts) => string.Join(between, parts.Where(p => p.Length > 0));

    private static string Value(string? json) => json is null ? "" : Text(json.StartsWith('"') ? JsonSerializer.Deserialize<string>(json)! : json);

    private static async Task<string> HashAsync(string path, CancellationToken ct)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, ct));
    }

    /// <returns>Null when it cannot be read, or is no file.</returns>
    internal static string? Hash(string path)
    {
        try
        {
            if (new FileInfo(path) is not { Exists: true, LinkTarget: null })
            {
                return null;
            }
            using var file = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
