using Dapper;
using Gateway.Database;
using Gateway.Delivery.Channels;

namespace Gateway.Delivery;

/// <summary>
/// A partner that keeps failing is left alone, by all nodes together: the breaker is a row. It opens after <see cref="FailuresToOpen"/>
/// failures in a row, or when at least half of at least <see cref="LeastAttempts"/> attempts of the last minute failed, or at once when our
/// credential is not accepted. Half open, one delivery is the probe, and only its outcome moves the breaker: an attempt begun before
/// it opened would escalate or close it without having learnt anything.
/// </summary>
internal static class Breaker
{
    private const int FailuresToOpen = 5;
    private const int LeastAttempts = 20;

    // Enough of the last minute to tell its rate without counting all of a busy one.
    private const int MostAttempts = 200;

    /// <returns>How often in a row it has opened, when this answer opened it.</returns>
    public static async Task<int?> JudgeAsync(Work work, ClaimedDelivery delivery, ChannelAnswer answer)
    {
        var credential = answer.Meaning == AnswerMeaning.Credential;
        var failed = answer.Meaning == AnswerMeaning.Retry && answer.Verdict is Verdict.Theirs or Verdict.Network;
        if (credential || failed)
        {
            return await FailAsync(work, delivery, credential && answer.Status is not null ? "credential" : answer.Code, credential);
        }
        // The partner has answered; or we failed before it could, and another delivery may probe.
        if (answer.Status is not null || answer.Meaning is AnswerMeaning.Accepted or AnswerMeaning.Pending or AnswerMeaning.Negative or AnswerMeaning.Refused)
        {
            await ClosedByAsync(work, [delivery.PartnerId], [delivery.LeaseToken]);
            return null;
        }
        await work.Connection.ExecuteAsync("update breaker set open_until = gateway_now(), probe = null where partner_id = @PartnerId and opened > 0 and probe = @LeaseToken and @verdict = 'ours'",
            new { delivery.PartnerId, delivery.LeaseToken, verdict = answer.Verdict }, work.Transaction);
        return null;
    }

    /// <summary>These partners have answered, under these leases.</summary>
    /// <param name="partners">In ascending order.</param>
    public static Task ClosedByAsync(Work work, int[] partners, Guid[] tokens) => work.Connection.ExecuteAsync("""
        update breaker b set failures = 0, opened = 0, open_until = null, opened_at = null, reason = null, probe = null, closed_at = case when b.opened > 0 then gateway_now() else b.closed_at end
        from (select partner_id from breaker where partner_id = any(@partners) and (opened = 0 and failures > 0 or opened > 0 and probe = any(@tokens)) order by partner_id for update) c
        where b.partner_id = c.partner_id
        """, new { partners, tokens }, work.Transaction);

    private static Task<int?> FailAsync(Work work, ClaimedDelivery delivery, string reason, bool credential) => work.Connection.ExecuteScalarAsync<int?>("""
        insert into breaker as b (partner_id, party_id, failures, reason) values (@PartnerId, @PartyId, 1, @reason)
        on conflict (partner_id) do update set failures = b.failures + 1, reason = @reason;
        update breaker b set opened = b.opened + 1, probe = null, opened_at = coalesce(b.opened_at, gateway_now()),
            open_until = gateway_now() + (array[interval '30 s', '1 min', '2 min', '5 min', '10 min'])[least(b.opened + 1, 5)]
        where b.partner_id = @PartnerId and case
            when b.opened > 0 then b.probe = @LeaseToken
            when @credential or b.failures >= @FailuresToOpen then true
            else (select count(*) >= @LeastAttempts and 2 * count(*) filter (where l.verdict in ('theirs', 'network')) >= count(*)
                  from (select a.verdict from attempt a
                        where a.party_id = @PartyId and a.ended_at > greatest((select gateway_now()) - interval '60 s', b.closed_at)
                        order by a.ended_at desc limit @MostAttempts) l) end
        returning b.opened
        """, new { delivery.PartnerId, delivery.PartyId, delivery.LeaseToken, reason, credential, FailuresToOpen, LeastAttempts, MostAttempts }, work.Transaction);
}
