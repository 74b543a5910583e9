using System.Globalization;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Partners;

namespace Gateway.Delivery.Channels;

/// <summary>A server's certificate is not one that it may be spoken to with.</summary>
/// <param name="code">As the attempt names it.</param>
public sealed class BadCertificateException(string code, string message, ServedCertificate? served) : AuthenticationException(message)
{
    public string Code { get; } = code;

    public ServedCertificate? Served { get; } = served;
}

/// <summary>What is wrong with a server's certificate, said so that its owner can mend it.</summary>
internal static class CertificateCheck
{
    public static ServedCertificate Served(string host, X509Certificate certificate)
    {
        using var c = new X509Certificate2(certificate);
        return new ServedCertificate(host, c.GetCertHash(HashAlgorithmName.SHA256), Name(c.Subject), Name(c.Issuer), c.NotBefore.ToUniversalTime(), c.NotAfter.ToUniversalTime());
    }

    /// <summary>A validation callback's work: quiet when the certificate is good.</summary>
    /// <param name="authority">The host with its port.</param>
    /// <exception cref="BadCertificateException">It is not.</exception>
    public static void Refuse(string authority, string host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return;
        }
        if (certificate is null)
        {
            throw new BadCertificateException("certificate-missing", $"{authority} shows no certificate.", null);
        }
        var served = Served(authority, certificate);
        var now = DateTime.UtcNow;
        // The first of these is told: an expired certificate is renewed with its name and chain.
        throw served switch
        {
            _ when served.NotAfter < now => Bad("certificate-expired", $"The certificate of {authority} expired on {Day(served.NotAfter)}."),
            _ when served.NotBefore > now => Bad("certificate-not-yet-valid", $"The certificate of {authority} is valid only from {Day(served.NotBefore)}."),
            _ when errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) => Bad("certificate-name", $"The certificate of {authority} is for other names than {host}: {Names(certificate)}."),
            _ => Bad("certificate-untrusted", $"The certificate of {authority} is issued by {served.Issuer}, which is not trusted here ({string.Join(", ", chain?.ChainStatus.Select(s => s.Status) ?? [])})."),
        };

        BadCertificateException Bad(string code, string sentence) => new(code, sentence, served);
    }

    private static string Day(DateTime at) => at.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static string Names(X509Certificate certificate)
    {
        using var c = new X509Certificate2(certificate);
        var names = c.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(e => e.EnumerateDnsNames().Concat(e.EnumerateIPAddresses().Select(a => a.ToString()))).Take(5).ToList();
        return names.Count > 0 ? string.Join(", ", names) : Name(c.Subject);
    }

    // What a stranger wrote: shown, kept and put into logs.
    private static string Name(string name) => new([.. name.Where(ch => !char.IsControl(ch)).Take(300)]);
}
