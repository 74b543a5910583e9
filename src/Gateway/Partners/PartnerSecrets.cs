using System.Globalization;
using Microsoft.AspNetCore.DataProtection;

namespace Gateway.Partners;

/// <summary>Seals partners' tokens. The party is part of the purpose, so a sealed token copied to another partner's row cannot be opened.</summary>
public sealed class PartnerSecrets(IDataProtectionProvider protection)
{
    public byte[]? Seal(int partyId, string? secret) => string.IsNullOrEmpty(secret) ? null : Protector(partyId).Protect(System.Text.Encoding.UTF8.GetBytes(secret));

    public string? Open(int partyId, byte[]? sealedSecret) => sealedSecret is null ? null : System.Text.Encoding.UTF8.GetString(Protector(partyId).Unprotect(sealedSecret));

    private IDataProtector Protector(int partyId) => protection.CreateProtector("partner-secret", partyId.ToString(CultureInfo.InvariantCulture));
}
