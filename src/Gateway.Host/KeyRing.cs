using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Host;

/// <summary>The key ring cannot be opened; the message is a sentence with the remedy.</summary>
public sealed class KeyRingException(string message, Exception? inner = null) : Exception(message, inner);

public sealed class AccessOptions
{
    public const string Section = "Access";

    /// <summary>A PKCS #12 file with an RSA key that encrypts the key ring; empty: the installation makes its own, key-ring.pfx in its data directory.</summary>
    public string KeyRingCertificate { get; init; } = "";

    /// <summary>Of that file; better given by the environment variable Access__KeyRingCertificatePassword than written down.</summary>
    public string? KeyRingCertificatePassword { get; init; }
}

/// <summary>
/// The keys that seal partners' tokens and sessions lie in the data directory, encrypted with an X.509 certificate: one that is
/// configured, or one of the gateway's own beside them. A backup needs both.
/// </summary>
public static partial class KeyRing
{
    private const string OwnCertificate = "key-ring.pfx";

    public static void AddKeyRing(this IServiceCollection services, IConfiguration configuration, string dataDirectory)
    {
        var certificate = Open(configuration, dataDirectory);
        services.AddSingleton(new Access.ExpiringCertificate("The certificate of the key ring", certificate.NotAfter.ToUniversalTime()));
        services.AddDataProtection().SetApplicationName("gateway")
            .PersistKeysToFileSystem(Directory.CreateDirectory(KeysIn(dataDirectory)))
            .ProtectKeysWithCertificate(certificate);
    }

    /// <summary>The certificate, made when the installation is new; checked against the keys that are there.</summary>
    public static X509Certificate2 Open(IConfiguration configuration, string dataDirectory)
    {
        var options = configuration.GetSection(AccessOptions.Section).Get<AccessOptions>() ?? new AccessOptions();
        var certificate = options.KeyRingCertificate.Length > 0 ? Load(options.KeyRingCertificate, options.KeyRingCertificatePassword) : Own(dataDirectory);
        foreach (var (file, thumbprint) in Encrypted(dataDirectory))
        {
            if (thumbprint != certificate.GetCertHashString(HashAlgorithmName.SHA256))
            {
                throw new KeyRingException($"The key {file} was encrypted with another certificate (SHA-256 {thumbprint}): restore that certificate, or set Access:KeyRingCertificate to it. Without it no partner's token can be opened.");
            }
        }
        return certificate;
    }

    private static X509Certificate2 Own(string dataDirectory)
    {
        var path = Path.Combine(dataDirectory, OwnCertificate);
        if (!File.Exists(path))
        {
            if (Encrypted(dataDirectory).FirstOrDefault() is { File: { } file })
            {
                throw new KeyRingException($"The certificate {path} is missing, and {file} was encrypted with it: restore it from the backup. Without it no partner's token can be opened.");
            }
            Make(path);
        }
        return Load(path, null);
    }

    private static X509Certificate2 Load(string path, string? password)
    {
        try
        {
            var certificate = X509CertificateLoader.LoadPkcs12FromFile(path, password, X509KeyStorageFlags.EphemeralKeySet);
            return certificate.GetRSAPrivateKey() is not null ? certificate : throw new KeyRingException($"The certificate {path} has no RSA private key: Access:KeyRingCertificate needs a PKCS #12 file with one.");
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new KeyRingException($"The certificate {path} of the key ring cannot be opened: check the file, its rights, and Access:KeyRingCertificatePassword.", e);
        }
    }

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var key = RSA.Create(3072);
        var request = new CertificateRequest("CN=Gateway key ring", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyEncipherment, critical: true));
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddYears(50));
        // Made aside and moved without overwriting: of two nodes that start at once, one's certificate is both's.
        var unfinished = $"{path}.{Guid.NewGuid():N}";
        using (var file = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
        {
            file.Write(certificate.Export(X509ContentType.Pkcs12));
            file.Flush(flushToDisk: true);
        }
        try
        {
            File.Move(unfinished, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(unfinished);
        }
    }

    // The certificate itself stands in each encrypted key, by XML encryption's KeyInfo.
    private static IEnumerable<(string File, string Thumbprint)> Encrypted(string dataDirectory)
    {
        var keys = KeysIn(dataDirectory);
        return !Directory.Exists(keys) ? [] :
            from file in Directory.EnumerateFiles(keys, "key-*.xml")
            let match = CertificateOfKey().Match(File.ReadAllText(file))
            where match.Success
            select (file, Convert.ToHexString(SHA256.HashData(Convert.FromBase64String(match.Groups[1].Value))));
    }

    private static string KeysIn(string dataDirectory) => Path.Combine(dataDirectory, "keys");

    [GeneratedRegex("<X509Certificate>([^<]+)</X509Certificate>")]
    private static partial Regex CertificateOfKey();
}
