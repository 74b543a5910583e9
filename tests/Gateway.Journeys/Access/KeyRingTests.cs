using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Gateway.Host;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Journeys.Access;

public sealed class KeyRingTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("gateway-keys-").FullName;

    [Fact]
    public void The_files_of_the_ring_hold_no_clear_key_and_a_restart_opens_what_was_sealed()
    {
        var sealedText = Seal();
        var files = Directory.GetFiles(Path.Combine(_data, "keys"), "*.xml");
        Assert.Single(files);
        Assert.All(files, f =>
        {
            var text = File.ReadAllText(f);
            Assert.Contains("EncryptedData", text, StringComparison.Ordinal);
            Assert.DoesNotContain("masterKey", text, StringComparison.OrdinalIgnoreCase);
        });
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_data, "key-ring.pfx")));
        Assert.Equal("a partner's token", Protector().Unprotect(sealedText));
    }

    [Fact]
    public void A_lost_certificate_is_one_sentence_at_the_start_and_not_a_new_certificate()
    {
        Seal();
        File.Delete(Path.Combine(_data, "key-ring.pfx"));
        var refused = Assert.Throws<KeyRingException>(() => Protector());
        Assert.Contains("key-ring.pfx is missing", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_data, "key-ring.pfx")));
    }

    [Fact]
    public void Another_certificate_than_the_rings_is_refused()
    {
        Seal();
        var refused = Assert.Throws<KeyRingException>(() => Protector(("Access:KeyRingCertificate", Certificate("other.pfx", null))));
        Assert.Contains("another certificate", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_configured_certificate_is_used_with_its_password_and_a_wrong_password_is_told()
    {
        var path = Certificate("own.pfx", "good");
        var sealedText = Protector(("Access:KeyRingCertificate", path), ("Access:KeyRingCertificatePassword", "good")).Protect("x");
        Assert.Equal("x", Protector(("Access:KeyRingCertificate", path), ("Access:KeyRingCertificatePassword", "good")).Unprotect(sealedText));
        Assert.False(File.Exists(Path.Combine(_data, "key-ring.pfx")));
        Assert.Contains("KeyRingCertificatePassword", Assert.Throws<KeyRingException>(() => Protector(("Access:KeyRingCertificate", path), ("Access:KeyRingCertificatePassword", "bad"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Assert.Throws<KeyRingException>(() => Protector(("Access:KeyRingCertificate", path + ".missing"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nodes_that_start_at_once_end_with_one_certificate()
    {
        var thumbprints = Enumerable.Range(0, 4).AsParallel().WithDegreeOfParallelism(4).Select(_ => KeyRing.Open(new ConfigurationBuilder().Build(), _data).Thumbprint).Distinct();
        Assert.Single(thumbprints);
        Assert.Single(Directory.GetFiles(_data));
    }

    public void Dispose() => Directory.Delete(_data, recursive: true);

    private string Seal() => Protector().Protect("a partner's token");

    private IDataProtector Protector(params (string Name, string Value)[] settings)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddKeyRing(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Name, (string?)s.Value))).Build(), _data);
        return services.BuildServiceProvider().GetRequiredService<IDataProtectionProvider>().CreateProtector("test");
    }

    private string Certificate(string name, string? password)
    {
        using var key = RSA.Create(2048);
        using var certificate = new CertificateRequest("CN=Test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(_data, name);
        File.WriteAllBytes(path, certificate.Export(X509ContentType.Pkcs12, password));
        return path;
    }
}
