using System.Globalization;
using System.Security.Claims;
using Gateway.Access;
using Gateway.Database;
using Radzen;

namespace Gateway.Host.Dashboard.Sign;

/// <summary>Asks in a dialog for a signature of whoever has the page open.</summary>
sealed class SignDialog(DialogService dialogs, Signing signing, SessionState session)
{
    /// <param name="read">Reads the record as it is now; asked again whenever signing begins again.</param>
    /// <param name="effect">As in <see cref="Signing.SignAsync"/>.</param>
    /// <returns>The signature; null when nothing was signed.</returns>
    public async Task<Signature?> AskAsync(string meaning, Func<Actor, Task<SignableRecord?>> read, Func<Work, Signature, Task<string?>> effect)
    {
        Signature? signature = null;
        await dialogs.OpenAsync<SignForm>("Sign", new Dictionary<string, object?> { [nameof(SignForm.Begin)] = (Func<Task<SigningChallenge>>)BeginAsync, [nameof(SignForm.Finish)] = (Func<Guid, SigningSecret, Task<SigningAnswer>>)FinishAsync },
            new DialogOptions { Width = "560px", CloseDialogOnEsc = true, AutoFocusFirstElement = false }); // the form does, when it has been read
        return signature; // whichever way the dialog was closed

        async Task<SigningChallenge> BeginAsync()
        {
            if (await SignerAsync() is not var (signer, id))
            {
                return Refused("The session has ended: sign in again.");
            }
            return await read(signer) is { } record ? await signing.BeginAsync(signer, id, record, meaning, CancellationToken.None) : Refused("There is no such record any more.");
        }

        async Task<SigningAnswer> FinishAsync(Guid nonce, SigningSecret secret)
        {
            if (await SignerAsync() is not var (signer, id))
            {
                return new SigningAnswer("The session has ended: sign in again. Nothing was signed.", null);
            }
            try
            {
                var answer = await signing.SignAsync(signer, id, nonce, secret, effect, CancellationToken.None);
                signature = answer.Signature;
                return answer;
            }
            catch (CommitUnknownException)
            {
                return new SigningAnswer("It is not known whether this was signed: look at the record again before you repeat it.", null);
            }
        }

        SigningChallenge Refused(string refusal) => new(null, refusal, new SignableRecord("", "", 0, "", [], []), meaning, "", false, false, 0, null, default);
    }

    private async Task<(Actor Signer, long Session)?> SignerAsync()
    {
        var user = await session.RefreshAsync(active: true, CancellationToken.None);
        return long.TryParse(user.FindFirstValue(Holder.SessionClaim), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? (user.ToActor("dashboard"), id) : null;
    }
}
