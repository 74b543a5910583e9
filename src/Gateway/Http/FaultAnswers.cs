using Gateway.Database;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Http;

/// <summary>Lost infrastructure becomes an answer that asks the client to come again; what is left is a bug and stays 500.</summary>
public sealed partial class FaultAnswers(ILogger<FaultAnswers> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var answer = exception switch
        {
            CommitUnknownException => Problems.OutcomeUnknown(),
            PostgresException { SqlState: PostgresErrorCodes.DiskFull } => Problems.StorageFull(),
            _ when DatabaseFault.IsOutage(exception) => Problems.Unavailable("The database does not answer. What was acknowledged is safe; repeat this request."),
            _ => null,
        };
        if (answer is null)
        {
            return false;
        }
        Faulted(exception, httpContext.Request.Method, httpContext.Request.Path, answer.StatusCode);
        AskToRetry(httpContext.Response);
        await answer.ExecuteAsync(httpContext);
        return true;
    }

    /// <summary>Seconds; long enough for a restart, short enough for a line that waits.</summary>
    public static void AskToRetry(HttpResponse response) => response.Headers.RetryAfter = "2";

    [LoggerMessage(3001, LogLevel.Error, "{Method} {Path} answered {Status}: the database failed.")]
    private partial void Faulted(Exception exception, string method, string path, int status);
}
