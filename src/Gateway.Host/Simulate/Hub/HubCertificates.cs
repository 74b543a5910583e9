using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Gateway.Host.Simulate.Hub;

/// <summary>An authority of the hub's own, made at start and kept nowhere, with the certificates of its server and its one client.</summary>
public sealed class HubCertificates : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1", ClientUse = "1.3.6.1.5.5.7.3.2";
    private static readonly TimeSpan s_validFor = TimeSpan.FromDays(365);

    private readonly Lock _lock = new();
    private readonly X509Certificate2 _authority;
    private readonly List<X509Certificate2> _servers = [];
    private readonly Dictionary<string, DateTimeOffset> _clients = new(StringComparer.Ordinal); // thumbprint, until when it is let in

    /// <summary>Makes the authority and the first certificates. They go by the computer's clock, as TLS does.</summary>
    public HubCertificates()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Stand-in hub authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        var now = DateTimeOffset.UtcNow;
        _authority = request.CreateSelfSigned(now.AddDays(-1), now + s_validFor);
        AuthorityPem = _authority.ExportCertificatePem();
        Make();
    }

    /// <summary>What a client trusts.</summary>
    public string AuthorityPem { get; }

    /// <summary>The newest client certificate and its key (PKCS#8).</summary>
    public string ClientPem { get; private set; } = "";

    /// <summary>What the server shows to who connects now.</summary>
    public X509Certificate2 Server { get; private set; } = null!;

    /// <summary>New certificates for server and client; the earlier client's are let in for so long still.</summary>
    public void Roll(TimeSpan grace = default)
    {
        lock (_lock)
        {
            var end = DateTimeOffset.UtcNow + grace;
            foreach (var (client, until) in _clients)
            {
                _clients[client] = until < end ? until : end;
            }
            Make();
        }
    }

    /// <summary>Whether who shows it is let in.</summary>
    public bool LetsIn(X509Certificate2? client)
    {
        if (client is null)
        {
            return false;
        }
        lock (_lock)
        {
            if (!_clients.TryGetValue(client.Thumbprint, out var until) || until <= DateTimeOffset.UtcNow)
            {
                return false;
            }
        }
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.Add(_authority);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ClientUse));
        return chain.Build(client);
    }

    /// <summary>Writes <c>authority.pem</c> and <c>client.pem</c>, which only their owner may read.</summary>
    public void WriteTo(string directory)
    {
        Directory.CreateDirectory(directory);
        Write(Path.Combine(directory, "authority.pem"), AuthorityPem + "\n");
        Write(Path.Combine(directory, "client.pem"), ClientPem);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _authority.Dispose();
        _servers.ForEach(s => s.Dispose());
    }

    private static void Write(string path, string text)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        File.Delete(path); // the rights of a file that is there already would stay
        using var file = new StreamWriter(new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = owner }));
        file.Write(text);
    }

    private void Make()
    {
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName("localhost");
            names.AddIpAddress(IPAddress.Loopback);
            names.AddIpAddress(IPAddress.IPv6Loopback);
            Server = Sign("CN=localhost", key, ServerUse, names.Build()).CopyWithPrivateKey(key);
            _servers.Add(Server);
        }
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        using (var client = Sign("CN=Stand-in hub client", key, ClientUse))
        {
            ClientPem = client.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
            _clients[client.Thumbprint] = DateTimeOffset.MaxValue;
        }
    }

    private X509Certificate2 Sign(string subject, ECDsa key, string use, X509Extension? names = null)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(use)], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_authority, true, false));
        if (names is not null)
        {
            request.CertificateExtensions.Add(names);
        }
        Span<byte> serial = stackalloc byte[16];
        RandomNumberGenerator.Fill(serial);
        serial[0] &= 0x7f;
        return request.Create(_authority, _authority.NotBefore, _authority.NotAfter, serial);
    }
}
