using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Partners;

/// <summary>Who we are to a server that asks, and whose word that server is believed on.</summary>
/// <param name="Pem">Our certificate with its private key; null: none is shown.</param>
/// <param name="AuthorityPem">The certificates that the server's must descend from; null: those that this machine trusts.</param>
public sealed record TlsIdentity(string? Pem, string? AuthorityPem)
{
    /// <returns>Why it cannot be used, or null.</returns>
    public static string? Refuse(string? pem, string? authorityPem)
    {
        try
        {
            using var mine = pem is null ? null : X509Certificate2.CreateFromPem(pem, pem);
            if (mine?.NotAfter.ToUniversalTime() < DateTime.UtcNow)
            {
                return $"channel.clientCertificate has expired on {mine.NotAfter.ToUniversalTime():yyyy-MM-dd}.";
            }
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return "channel.clientCertificate is a certificate and the private key that belongs to it, both in PEM, the key without a password.";
        }
        try
        {
            return authorityPem is not null && Authorities(authorityPem).Count == 0 ? "channel.authority is a certificate in PEM." : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return "channel.authority is a certificate in PEM.";
        }
    }

    /// <summary>It holds a private key, which no log shows.</summary>
    public override string ToString() => nameof(TlsIdentity);

    internal X509CertificateCollection Certificates() => Pem is null ? [] : [X509Certificate2.CreateFromPem(Pem, Pem)];

    /// <summary>Judges the chain anew by our own authorities; what is wrong besides the chain stays wrong.</summary>
    /// <param name="sent">What the server showed besides.</param>
    internal SslPolicyErrors Judge(X509Certificate? certificate, X509Chain? sent, SslPolicyErrors errors)
    {
        if (AuthorityPem is null || certificate is null)
        {
            return errors;
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Authorities(AuthorityPem));
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck; // an authority of one's own seldom answers such questions
        chain.ChainPolicy.DisableCertificateDownloads = true; // nothing is fetched from where an untrusted certificate says
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1")); // of servers
        chain.ChainPolicy.ExtraStore.AddRange((X509Certificate2[])[.. sent?.ChainElements.Select(e => e.Certificate) ?? [], .. sent?.ChainPolicy.ExtraStore ?? []]);
        using var leaf = new X509Certificate2(certificate);
        return chain.Build(leaf) ? errors & ~SslPolicyErrors.RemoteCertificateChainErrors : errors | SslPolicyErrors.RemoteCertificateChainErrors;
    }

    private static X509Certificate2Collection Authorities(string pem)
    {
        var all = new X509Certificate2Collection();
        all.ImportFromPem(pem);
        return all;
    }
}
