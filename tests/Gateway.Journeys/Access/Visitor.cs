using System.Net;
using System.Text.RegularExpressions;

namespace Gateway.Journeys.Access;

/// <summary>A browser as far as forms and cookies go.</summary>
internal sealed partial class Visitor : IDisposable
{
    private readonly HttpClient _http;

    public Visitor(Uri url)
    {
        _http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = Cookies }) { BaseAddress = url };
        _http.DefaultRequestHeaders.Accept.ParseAdd("text/html");
    }

    public CookieContainer Cookies { get; } = new();

    /// <returns>Where the answer leads, else its status.</returns>
    public async Task<string> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(path);
        return To(answer);
    }

    public Task<string> SignInAsync(string user, string password, string code = "") => PostAsync("sign-in", ("user", user), ("password", password), ("code", code));

    public async Task<string> PostAsync(string path, params (string Name, string Value)[] fields)
    {
        // The antiforgery token belongs to who one is by now.
        using var page = await _http.GetAsync("sign-in");
        var token = Token().Match(await page.Content.ReadAsStringAsync()).Groups[1].Value;
        using var answer = await _http.PostAsync(path, new FormUrlEncodedContent([new("__RequestVerificationToken", token), .. fields.Select(f => KeyValuePair.Create(f.Name, f.Value))]));
        return To(answer);
    }

    public void Dispose() => _http.Dispose();

    private static string To(HttpResponseMessage answer) => answer.Headers.Location?.ToString() ?? ((int)answer.StatusCode).ToString(System.Globalization.CultureInfo.InvariantCulture);

    [GeneratedRegex("name=\"__RequestVerificationToken\" value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
