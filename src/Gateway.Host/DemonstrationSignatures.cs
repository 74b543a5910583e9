using Gateway.Access;
using Gateway.Audit;
using Gateway.Delivery.Testing;
using Gateway.Partners;

namespace Gateway.Host;

/// <summary>What the demonstration's officer has signed: a review of access, the go-live of one partner, and a review of the week's audit trail. Made as anybody would make it, with the account's own password.</summary>
public static class DemonstrationSignatures
{
    public static async Task MakeAsync(IServiceProvider services, IReadOnlyList<DemonstrationLogin> logins, string partnerGln, CancellationToken ct)
    {
        var (reviews, goLive) = (services.GetRequiredService<AccessReviews>(), services.GetRequiredService<GoLive>());
        var reader = Actor.System("demonstration");
        if ((await reviews.ListAsync(reader, 1, ct)).Count > 0)
        {
            return; // of an earlier start
        }
        await using var signedIn = await DemonstrationOfficer.SignInAsync(services, logins, ct);
        var officer = signedIn.Actor;
        var review = await reviews.BeginAsync(officer, "the review before the demonstration", ct);
        foreach (var line in (await reviews.LinesAsync(officer, review, ct)).Where(l => l.Owner != officer.Id))
        {
            await reviews.DecideAsync(officer, review, line.LineId, keep: true, note: null, ct);
        }
        await SignAsync(await reviews.RecordAsync(officer, review, ct), AccessReviews.Meaning, AccessReviews.SignedAsync);
        if (await services.GetRequiredService<PartnerDirectory>().FindAsync(reader, partnerGln, ct) is { } partner)
        {
            // What the signature needs: somebody has said what its documents must have, and it has taken a sample.
            await services.GetRequiredService<PartnerProfiles>().SetAsync(reader, partner.Id, new PartnerProfile(), "the demonstration's partners are under no regulation", ct);
            await services.GetRequiredService<TestPartner>().RunAsync(reader, partner.Id, new TestRequest(true, "the onboarding of the demonstration's partner"), ct);
            await SignAsync(await goLive.RecordAsync(officer, partner.Id, ct), GoLive.Meaning, GoLive.SignedAsync);
        }
        await ReviewTrailAsync();

        // What was just done is sealed in a second or two; a demonstration without sealing goes on without a review.
        async Task ReviewTrailAsync()
        {
            var trail = services.GetRequiredService<AuditReviews>();
            for (var tries = 0; tries < 40; tries++)
            {
                var now = DateTime.UtcNow.AddSeconds(-1);
                var (review, _) = await trail.BeginAsync(officer, now.AddDays(-7), now, new AuditFilter(), ct);
                if (review is { } begun)
                {
                    await trail.ConcludeAsync(officer, begun, isInOrder: true, "The first week: people, keys and partners were set up as planned.", ct);
                    await SignAsync(await trail.RecordAsync(officer, begun, ct), AuditReviews.Meaning, AuditReviews.SignedAsync);
                    return;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(500), ct);
            }
        }

        Task SignAsync(SignableRecord? record, string meaning, Func<Database.Work, Signature, Task<string?>> effect) => signedIn.SignAsync(record, meaning, effect, ct);
    }
}
