using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Gateway.TestSupport;

namespace Gateway.Journeys;

/// <summary>Partners on the command line: added, paused, tested over TLS whose issuer the machine trusts, and what their onboarding lacks.</summary>
public sealed class PartnerCommandTests
{
    private const string Gln = "9521321000018";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_partner_is_added_in_practice_tested_over_TLS_and_its_missing_steps_are_told()
    {
        await using var database = await TestDatabase.CreateAsync();
        var data = Directory.CreateTempSubdirectory("gateway-partner-");
        try
        {
            var (root, certificate) = Certificates();
            await File.WriteAllTextAsync(Path.Combine(data.FullName, "root.pem"), root, Ct);
            await File.WriteAllTextAsync(Path.Combine(data.FullName, "token"), "t0p-secret-token\n", Ct);
            var authorization = "";
            await using var partner = await ScriptedPartner.StartAsync((context, _) =>
            {
                authorization = context.Request.Headers.Authorization.ToString();
                return Task.FromResult(authorization == "Bearer t0p-secret-token" ? 200 : 401);
            }, certificate);
            var url = $"https://localhost:{new Uri(partner.Url).Port}/in";
            await database.ExecuteAsync("select set_config('app.actor', 'test', false); insert into party (kind, name, gln) values ('organisation', 'We', '9521321000005')");

            string[] add = ["add", Gln, "--name", "Acme", "--format", "1.2-xml", "--channel", "https", "--url", url, "--token-file", Path.Combine(data.FullName, "token"), "--practice", "--json"];
            var (added, made, errors) = await RunAsync(add);
            Assert.True(added == 0, errors);
            using (var json = JsonDocument.Parse(made))
            {
                Assert.Equal(("practice", true), (json.RootElement.GetProperty("state").GetString(), json.RootElement.GetProperty("channel").GetProperty("hasSecret").GetBoolean()));
            }
            Assert.Equal(1, (await RunAsync(add)).ExitCode);

            var (tested, told, why) = await RunAsync("test", Gln, "--json");
            Assert.True(tested == 0, told + why);
            using (var json = JsonDocument.Parse(told))
            {
                Assert.Equal("dns passed, tcp passed, tls passed, authentication passed, sample passed, receipt passed",
                    string.Join(", ", json.RootElement.GetProperty("steps").EnumerateArray().Select(s => $"{s.GetProperty("step").GetString()} {s.GetProperty("state").GetString()}")));
                Assert.Contains("issued by CN=A root, ends on", json.RootElement.GetProperty("steps")[2].GetProperty("seen").GetString(), StringComparison.Ordinal);
            }
            Assert.DoesNotContain("t0p-secret-token", told, StringComparison.Ordinal);
            Assert.DoesNotContain("::ffff:", told, StringComparison.Ordinal); // an address as people write it
            Assert.Equal("localhost " + new Uri(url).Port, await database.ScalarAsync<string>("select replace(host, ':', ' ') from partner_certificate where not_after between now() + interval '19 days' and now() + interval '21 days'"));

            var (open, steps, _) = await RunAsync("onboarding", Gln);
            Assert.Equal(1, open);
            Assert.Matches("(?s)identity +done.*licence +not needed.*profile +open.*channel +done.*test +done.*sample +done.*go-live +open", steps);

            // Without the root nobody is sent anything.
            var (untrusted, text, _) = await RunTrustingAsync(false, ["test", Gln]);
            Assert.Equal(1, untrusted);
            Assert.Matches("tls +failed.*certificate-untrusted, theirs", text);
            Assert.Single(partner.Arrivals);

            Assert.Equal(1, (await RunAsync("pause", Gln, "--reason", "practice is not paused")).ExitCode);
            await database.ExecuteAsync("select set_config('app.actor', 'test', false); update partner set state = 'active'");
            var (paused, _, whyNot) = await RunAsync("pause", Gln, "--reason", "they move");
            Assert.True(paused == 0, whyNot + await database.ScalarAsync<string>("select state from partner"));
            var (listed, lines, unlisted) = await RunAsync("list");
            Assert.True(listed == 0, unlisted);
            Assert.Matches($"^{Gln} +paused +1.2-xml +https +Acme .*\\(they move\\)\n$", lines);
            Assert.Equal(0, (await RunAsync("resume", Gln, "--reason", "they moved")).ExitCode);
            Assert.Equal("active they moved", await database.ScalarAsync<string>("select state || ' ' || (select reason from audit_entry where entity = 'partner' order by ord desc limit 1) from partner"));

            foreach (var (verb, sentence) in (IEnumerable<(string[], string)>)
            [
                (["test", "9521321000025"], "There is no partner with the GLN"), (["test", Gln, "--sample"], "needs a reason"), (["test", Gln, "--sample", "--no-sample"], "one or the other"),
                (["pause", Gln, "--reason", " "], "--reason says why."), (["add", "123", "--name", "x", "--format", "1.2-xml", "--channel", "https", "--url", url], "GLN"),
                (["add", "9521321000025", "--name", "x", "--format", "1.2-xml", "--channel", "as2", "--url", url], "as2 is not available yet"), (["add", "9521321000025"], "'--name' is required"),
            ])
            {
                var (exitCode, _, refused) = await RunAsync(verb);
                Assert.Equal((sentence, 2), (sentence, exitCode));
                Assert.Contains(sentence, refused, StringComparison.Ordinal);
            }
        }
        finally
        {
            data.Delete(recursive: true);
        }

        Task<(int ExitCode, string Output, string Errors)> RunAsync(params string[] verb) => RunTrustingAsync(true, verb);

        async Task<(int ExitCode, string Output, string Errors)> RunTrustingAsync(bool trusted, string[] verb)
        {
            var info = new ProcessStartInfo("dotnet") { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = AppContext.BaseDirectory };
            foreach (var argument in (IEnumerable<string>)[Path.Combine(AppContext.BaseDirectory, "Gateway.Host.dll"), "partner", .. verb])
            {
                info.ArgumentList.Add(argument);
            }
            (info.Environment["ConnectionStrings__Gateway"], info.Environment["GATEWAY_DATA"], info.Environment["Delivery__AllowPrivateAddresses"]) = (database.AdministratorConnectionString, data.FullName, "true");
            if (trusted)
            {
                info.Environment["SSL_CERT_FILE"] = Path.Combine(data.FullName, "root.pem");
            }
            using var process = Process.Start(info)!;
            var output = process.StandardOutput.ReadToEndAsync(Ct);
            var errors = await process.StandardError.ReadToEndAsync(Ct);
            await process.WaitForExitAsync(Ct);
            return (process.ExitCode, await output, errors);
        }
    }

    /// <summary>A root as PEM, and a certificate of localhost that it has issued.</summary>
    private static (string Root, X509Certificate2 Certificate) Certificates()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var rootRequest = new CertificateRequest("CN=A root", rootKey, HashAlgorithmName.SHA256);
        rootRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var root = rootRequest.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-2), DateTimeOffset.UtcNow.AddDays(40));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(20), [1, 2, 3]);
        using var whole = issued.CopyWithPrivateKey(key);
        return (root.ExportCertificatePem(), X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null));
    }
}
