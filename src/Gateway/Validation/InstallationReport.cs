using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Audit;
using Gateway.Database;

namespace Gateway.Validation;

/// <summary>
/// What an installation check found, as a signed note (<see cref="SignedNote"/>), by the key that
/// seals the audit trail.
/// </summary>
public sealed record InstallationReport(Guid Installation, string Build, string Node, DateTime Time, string Fingerprint, string? Baseline, IReadOnlyList<HealthCheck> Checks)
{
    private const string Title = "gateway installation report v1";

    private string Body
    {
        get
        {
            var text = new StringBuilder(string.Create(CultureInfo.InvariantCulture,
                $"{Title}\ninstallation {Installation:D}\nbuild {Line(Build)}\nnode {Line(Node)}\ntime {Time.ToString(SignedNote.TimeFormat, CultureInfo.InvariantCulture)}\nfingerprint {Fingerprint}\nbaseline {Line(Baseline ?? "-")}\nresult {(Checks.All(c => c.Ok) ? "no fault" : "fault")}\n"));
            foreach (var check in Checks)
            {
                text.Append(check.Ok ? "ok   " : "FAIL ").Append(Line(check.Name)).Append(": ").Append(Line(check.Detail)).Append('\n');
            }
            return text.Append('\n').ToString();
        }
    }

    /// <summary>The signed note.</summary>
    public string Sign(SealKey key) => SignedNote.Sign(Body, key);

    /// <summary>Whether a note is a report as this key has signed it.</summary>
    /// <returns>Null when it is; otherwise a sentence.</returns>
    public static string? Refusal(string note, ECDsa key)
    {
        if (!note.StartsWith(Title + "\n", StringComparison.Ordinal))
        {
            return "It is no installation report.";
        }
        SignedNote.SignerOf(note, id => id == SealKey.IdOf(key) ? key : null, out var wrong);
        return wrong;
    }

    // What a check found may hold lines of its own.
    private static string Line(string text) => string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
}
