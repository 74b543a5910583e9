using System.Net;
using System.Text.RegularExpressions;

namespace Gateway.Journeys.Dashboard;

/// <summary>A signed-in browser that runs no scripts: cookies, pages and forms.</summary>
public sealed partial class FormClient : IDisposable
{
    private readonly HttpClient _http;

    private FormClient(Uri url)
    {
        _http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = url };
        _http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
    }

    public static Task<FormClient> SignInAsync(TestGateway gateway, string role) => SignInAsync(gateway.Url, gateway.Keys[role]);

    public static async Task<FormClient> SignInAsync(Uri url, string key)
    {
        var client = new FormClient(url);
        using var answer = await client._http.PostAsync("sign-in", new FormUrlEncodedContent(new Dictionary<string, string> { ["__RequestVerificationToken"] = await client.TokenAsync("sign-in"), ["key"] = key }));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return client;
    }

    public Task<HttpResponseMessage> GetAsync(string address) => _http.GetAsync(address);

    /// <summary>As the form of the captures page posts.</summary>
    public async Task<HttpResponseMessage> PostAsync(string address, params (string Name, byte[] Bytes)[] files) => await PostWithAsync(await TokenAsync("captures/check"), address, files);

    public async Task<HttpResponseMessage> PostWithAsync(string? token, string address, params (string Name, byte[] Bytes)[] files)
    {
        using var form = new MultipartFormDataContent();
        if (token is not null)
        {
            form.Add(new StringContent(token), "__RequestVerificationToken");
        }
        foreach (var (name, bytes) in files)
        {
            form.Add(new ByteArrayContent(bytes), "files", name);
        }
        return await _http.PostAsync(address, form);
    }

    private async Task<string> TokenAsync(string page) => Token().Match(await _http.GetStringAsync(page)).Groups[1].Value;

    public void Dispose() => _http.Dispose();

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
