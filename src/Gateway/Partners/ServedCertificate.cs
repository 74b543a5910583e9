namespace Gateway.Partners;

/// <summary>The certificate that a partner's server shows.</summary>
/// <param name="Host">The name it was called by, with its port.</param>
/// <param name="Sha256">Of the whole certificate.</param>
public sealed record ServedCertificate(string Host, byte[] Sha256, string Subject, string Issuer, DateTime NotBefore, DateTime NotAfter);
