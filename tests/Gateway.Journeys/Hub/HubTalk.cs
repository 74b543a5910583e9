using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using System.Xml.Schema;
using Gateway.Host.Simulate.Hub;

namespace Gateway.Journeys.Hub;

/// <summary>A sender that knows the wire of docs/hub.md and nothing of the hub; every answer is held to the schema.</summary>
internal sealed class HubTalk : IDisposable
{
    public const string Product = "09521234001010", Lot = "B7", Expiry = "281231", Here = "9521234000014", There = "9521234000021";

    private static readonly XNamespace s_ns = "urn:open-serialization-gateway:hub:1";
    private static readonly Lazy<XmlSchemaSet> s_schemas = new(() =>
    {
        var schemas = new XmlSchemaSet();
        schemas.Add(null, Path.Combine(Repository.Root, "schemas/hub/hub.xsd"));
        return schemas;
    });

    public HubTalk(HubSimulator hub, string? clientPem = null) => Http = Client(hub, clientPem ?? hub.ClientPem);

    public HttpClient Http { get; }

    /// <summary>The certificate that the server shows now.</summary>
    public static async Task<string> ServerAsync(HubSimulator hub)
    {
        using var socket = new System.Net.Sockets.TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, hub.Url.Port, Ct);
        await using var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ClientCertificates = [X509Certificate2.CreateFromPem(hub.ClientPem, hub.ClientPem)], RemoteCertificateValidationCallback = (_, _, _, _) => true }, Ct);
        return tls.RemoteCertificate!.GetCertHashString();
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Trusts the hub's authority and nobody else; without a certificate when it is empty.</summary>
    public static HttpClient Client(HubSimulator hub, string clientPem)
    {
        var handler = new SocketsHttpHandler();
        var authority = X509Certificate2.CreateFromPem(hub.AuthorityPem);
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, CustomTrustStore = { authority } };
        if (clientPem.Length > 0)
        {
            var certificate = X509Certificate2.CreateFromPem(clientPem, clientPem);
            handler.SslOptions.ClientCertificateContext = SslStreamCertificateContext.Create(certificate, null);
        }
        return new HttpClient(handler) { BaseAddress = hub.Url };
    }

    public void Dispose() => Http.Dispose();

    public async Task<HubTalk> LogInAsync()
    {
        using var answer = await Http.PostAsync("session", null, Ct);
        answer.EnsureSuccessStatusCode();
        var session = Checked(await answer.Content.ReadAsStringAsync(Ct));
        Http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Session", (string)session.Attribute("token")!);
        return this;
    }

    /// <summary>Posts a message and holds the acknowledgement to it.</summary>
    public async Task<string> SendAsync(string message)
    {
        var (status, answer) = await PostAsync(message);
        Assert.Equal(HttpStatusCode.Accepted, status);
        var id = (string)XElement.Parse(message).Attribute("correlationId")!;
        Assert.Equal((s_ns + "Acknowledgement", id), (answer!.Name, (string)answer.Attribute("correlationId")!));
        return id;
    }

    public async Task<(HttpStatusCode Status, XElement? Answer)> PostAsync(string message)
    {
        using var answer = await Http.PostAsync("messages", new StringContent(message, Encoding.UTF8, "application/xml"), Ct);
        var text = await answer.Content.ReadAsStringAsync(Ct);
        return (answer.StatusCode, text.Length == 0 ? null : Checked(text));
    }

    public async Task<XElement> GetAsync(string address) => Checked(await Http.GetStringAsync(address, Ct));

    /// <summary>The result as one line: status, code; the markets; what failed.</summary>
    public async Task<string> ResultAsync(string id) => Line(await GetAsync($"messages/{id}/result"));

    /// <summary>Sends, and the result.</summary>
    public async Task<string> AskAsync(string message) => await ResultAsync(await SendAsync(message));

    public static string Line(XElement result)
    {
        var line = new StringBuilder((string)result.Attribute("status")!);
        line.Append(result.Attribute("code") is { } code ? " " + code.Value : "");
        foreach (var market in result.Elements(s_ns + "Market"))
        {
            line.Append($" {market.Attribute("country")!.Value}:{market.Attribute("state")!.Value}");
        }
        foreach (var failed in result.Elements(s_ns + "Failed").OrderBy(f => f.Attribute("code")!.Value, StringComparer.Ordinal))
        {
            line.Append($" {failed.Attribute("code")!.Value}{((bool)failed.Attribute("temporary")! ? "?" : "")}={string.Join(",", failed.Elements().Select(s => s.Value).Order(StringComparer.Ordinal))}");
        }
        return line.ToString();
    }

    public static string ProductData(int version = 3, string name = "Examplin", string id = "", params string[] markets) => Message("ProductData", id, $"""
        <Product code="{Product}" scheme="GTIN" version="{version}"><Name>{name}</Name><CommonName>examplin</CommonName><Form>tablet</Form><Strength>10 mg</Strength><PackType>blister</PackType><PackSize>20</PackSize><Atc>A10BA02</Atc></Product>
        {string.Concat((markets.Length > 0 ? markets : ["DE", "FR"]).Select(m => $"""<Market country="{m}"><NationalCode>N1</NationalCode>{Company("Holder", m)}{Company("Wholesaler", m)}</Market>"""))}
        """);

    public static string PackData(IEnumerable<string> serials, int version = 3, string lot = Lot, string expiry = Expiry, string id = "", int? count = null)
    {
        var packs = serials as IReadOnlyCollection<string> ?? [.. serials];
        return Message("PackData", id, $"""{Of(version)}<Lot id="{lot}" expiry="{expiry}"/>{Company("Manufacturer", "IE")}{Packs(packs, count)}""");
    }

    public static string Change(string state, IReadOnlyCollection<string> serials, bool undo = false, string location = Here, int version = 3, string lot = Lot, string expiry = Expiry, string id = "") =>
        Message("StateChange", id, $"""{Of(version)}<Lot id="{lot}" expiry="{expiry}"/><Change state="{state}"{(undo ? " undo=\"true\"" : "")} location="{location}"/>{Packs(serials, null)}""");

    public static string Recall(string lot = Lot, int version = 3, string expiry = Expiry, params string[] markets) =>
        Message("LotRecall", "", $"""{Of(version)}<Lot id="{lot}" expiry="{expiry}"/><Reason>Found to be weak</Reason>{Markets(markets)}""");

    public static string Withdrawal(params string[] markets) => Message("ProductWithdrawal", "", $"{Of(3)}<Reason>No longer made</Reason>{Markets(markets)}");

    private static string Message(string kind, string id, string content) =>
        $"""<{kind} xmlns="{s_ns}" correlationId="{(id.Length == 0 ? Guid.NewGuid().ToString() : id)}" timestamp="2026-11-23T10:00:00Z">{content}</{kind}>""";

    private static string Of(int version) => $"""<Product code="{Product}" scheme="GTIN" version="{version}"/>""";

    private static string Markets(string[] markets) => string.Concat(markets.Select(m => $"""<Market country="{m}"/>"""));

    private static string Packs(IReadOnlyCollection<string> serials, int? count) => $"""<Packs count="{count ?? serials.Count}">{string.Concat(serials.Select(s => $"<Sn>{System.Security.SecurityElement.Escape(s)}</Sn>"))}</Packs>""";

    private static string Company(string element, string country) =>
        $"""<{element} id="C1" name="Company"><Street>Street 1</Street><City>City</City><PostalCode>1</PostalCode><Country>{country}</Country></{element}>""";

    private static XElement Checked(string text)
    {
        using var reader = XmlReader.Create(new StringReader(text), new XmlReaderSettings { ValidationType = ValidationType.Schema, Schemas = s_schemas.Value, ValidationFlags = XmlSchemaValidationFlags.ReportValidationWarnings });
        return XElement.Load(reader);
    }
}
