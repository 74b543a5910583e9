using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Access;

/// <summary>A person's second factor at rest: the key sealed for that person only, recovery codes as hashes.</summary>
public sealed class PersonSecrets(IDataProtectionProvider protection)
{
    private const int RecoveryCodes = 10;

    public byte[] Seal(int personId, byte[] key) => Protector(personId).Protect(key);

    public byte[] Open(int personId, byte[] sealedKey) => Protector(personId).Unprotect(sealedKey);

    /// <summary>Codes of 120 random bits: a fast hash is right for what nobody can guess.</summary>
    public static IReadOnlyList<string> NewRecoveryCodes() =>
        [.. Enumerable.Range(0, RecoveryCodes).Select(_ => string.Join('-', Base32.Encode(RandomNumberGenerator.GetBytes(15)).Chunk(6).Select(c => new string(c))))];

    /// <summary>Typed from paper: small letters, blanks and missing hyphens are the same code.</summary>
    public static byte[] HashRecoveryCode(string code) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(code.Replace("-", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal).ToUpperInvariant()));

    private IDataProtector Protector(int personId) => protection.CreateProtector("second-factor", personId.ToString(CultureInfo.InvariantCulture));
}
