using System.Net;
using System.Net.Http.Json;
using Gateway.Host.Simulate;
using Gateway.Partners;

namespace Gateway.Host;

/// <summary>Registers the demonstration's partners over the API, with all that somebody would say of them: profile, licence, and by when they need documents.</summary>
internal static class DemonstrationPartners
{
    private const string Reason = "the setup of the demonstration's partner";

    /// <returns>False when it is there already; then nothing is said anew.</returns>
    public static async Task<bool> AddAsync(HttpClient http, DemonstrationPartner partner, Uri url, CancellationToken ct)
    {
        var (gln, name) = (partner.Party.Owner.Gln, partner.Party.Owner.Name);
        using var answer = await http.PostAsJsonAsync("api/partners", new { gln, name, format = "1.2-xml", channel = new { kind = partner.Channel, url }, practice = partner.Past == PastManner.Practises }, ct);
        if (answer.StatusCode == HttpStatusCode.Conflict)
        {
            return false;
        }
        answer.EnsureSuccessStatusCode();
        if (partner.Profile is { } profile)
        {
            await SayAsync(http.PutAsJsonAsync($"api/partners/{gln}/profile", new ProfileRequest(profile, Reason), ct));
        }
        if (partner.Need is { } need)
        {
            await SayAsync(http.PutAsJsonAsync($"api/partners/{gln}/need", new NeedRequest(need.Within.ToString("c"), need.Why), ct));
        }
        if (partner.LicensedDays is { } days)
        {
            var until = DateOnly.FromDateTime(DateTime.UtcNow).AddDays(days);
            await SayAsync(http.PostAsJsonAsync($"api/partners/{gln}/licences", new LicenceRequest(
                "wholesale distributor", $"DW-{gln[7..12]}", "Illinois Department of Financial and Professional Regulation", "US-IL", until.AddYears(-2).AddDays(1), until, "Looked up in the register of the state.", Reason), ct));
            await SayAsync(http.PutAsJsonAsync($"api/partners/{gln}/licences/need", new LicenceNeedRequest(true, Reason), ct));
        }
        if (partner.Past == PastManner.Composed)
        {
            var owner = DemonstrationCast.Shippers[0].Owner.Gln;
            await SayAsync(http.PostAsJsonAsync("api/statement-authorisations", new { gln = owner, legalNotice = ShipmentXml.LegalNotice, validFrom = DateTime.UtcNow.AddYears(-1), reason = Reason }, ct));
        }
        if (partner.Past is PastManner.Practises or PastManner.Expired)
        {
            // The connection of the one stands, and its sample and signature are still to come; of the other its certificate is seen.
            await SayAsync(http.PostAsJsonAsync($"api/partners/{gln}/test", new { sample = false, reason = Reason }, ct));
        }
        return true;

        static async Task SayAsync(Task<HttpResponseMessage> said)
        {
            using var answer = await said;
            answer.EnsureSuccessStatusCode();
        }
    }
}
