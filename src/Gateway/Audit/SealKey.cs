using System.Security.Cryptography;

namespace Gateway.Audit;

/// <summary>The key of a sealed trail cannot be used; the message is a sentence with the remedy.</summary>
public sealed class SealKeyException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// The key that signs checkpoints: ECDSA on P-256 (FIPS 186-5), in a file of its own that nobody but the gateway's user may read.
/// No database holds it, so whoever rules the database cannot make a trail that is signed.
/// </summary>
public sealed class SealKey : IDisposable
{
    private const UnixFileMode OwnersOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private volatile Held _held;

    private SealKey(string path, Held held) => (Path, _held) = (path, held);

    /// <param name="Written">When its file was written.</param>
    private sealed record Held(ECDsa Key, string Id, DateTime Written);

    /// <summary>Its file.</summary>
    public string Path { get; }

    /// <summary>The first sixteen hexadecimal digits of SHA-256 of the public key's SubjectPublicKeyInfo.</summary>
    public string Id => _held.Id;

    /// <summary>For verifying.</summary>
    internal ECDsa Public => _held.Key;

    /// <summary>The public key as PEM, SubjectPublicKeyInfo.</summary>
    public string PublicPem => _held.Key.ExportSubjectPublicKeyInfoPem() + "\n";

    /// <summary>The number that a public key has in checkpoints.</summary>
    public static string IdOf(ECDsa key) => Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];

    /// <summary>Opens the key.</summary>
    /// <param name="make">Makes it where there is none.</param>
    /// <exception cref="SealKeyException">It is not there, cannot be read, is no such key, or others may read it.</exception>
    public static SealKey Open(string path, bool make = true)
    {
        if (!File.Exists(path))
        {
            if (!make)
            {
                throw new SealKeyException($"The key that seals the audit trail, {path}, is not there: set Audit:SealKey, or GATEWAY_DATA to the gateway's data directory.");
            }
            Make(path);
        }
        return new SealKey(System.IO.Path.GetFullPath(path), Read(path));
    }

    /// <summary>Takes the key from its file again when that was written anew: another has replaced it (<see cref="ReplaceKey"/>).</summary>
    /// <exception cref="SealKeyException">What is there cannot be used; the key stays what it was.</exception>
    public void Refresh()
    {
        if (File.GetLastWriteTimeUtc(Path) != _held.Written)
        {
            _held = Read(Path); // who is signing at this moment goes on with the old one
        }
    }

    private static Held Read(string path)
    {
        try
        {
            var written = File.GetLastWriteTimeUtc(path);
            if (!OperatingSystem.IsWindows() && File.GetUnixFileMode(path) is var mode && (mode & ~OwnersOnly) != 0)
            {
                throw new SealKeyException($"Others than its owner may read or change {path}, the key that seals the audit trail (mode {Convert.ToString((int)mode, 8)}): set it to 600.");
            }
            var key = ECDsa.Create();
            key.ImportFromPem(File.ReadAllText(path));
            return IsP256(key) ? new Held(key, IdOf(key), written) : throw new SealKeyException($"{path} is no key on the curve P-256.");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException or IOException or UnauthorizedAccessException)
        {
            throw new SealKeyException($"The key that seals the audit trail, {path}, cannot be opened: check its rights, or restore it from the backup.", e);
        }
    }

    /// <summary>A public key as <see cref="PublicPem"/> has it; null when it is none, or on another curve.</summary>
    public static ECDsa? ReadPublic(string pem)
    {
        try
        {
            var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return IsP256(key) ? key : null;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            return null;
        }
    }

    /// <summary>ASN.1 (RFC 3279) over SHA-256, as OpenSSL has it, with the number of the key that signed.</summary>
    public (string Id, byte[] Signature) Sign(ReadOnlySpan<byte> content)
    {
        var held = _held;
        return (held.Id, held.Key.SignData(content, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    public void Dispose() => _held.Key.Dispose();

    private static bool IsP256(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value == "1.2.840.10045.3.1.7";

    private static void Make(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // Made aside and moved without overwriting: of two nodes that start at once, one's key is both's.
        var unfinished = $"{path}.{Guid.NewGuid():N}";
        using (var file = new FileStream(unfinished, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnersOnly }))
        {
            file.Write(System.Text.Encoding.ASCII.GetBytes(key.ExportPkcs8PrivateKeyPem() + "\n"));
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
}
