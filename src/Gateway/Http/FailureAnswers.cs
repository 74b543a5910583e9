using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Database;
using Gateway.Http.Help;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Gateway.Http;

/// <summary>
/// Gives whatever failed outside an endpoint (unknown paths, unreadable bodies, exceptions) the answer it would have got inside
/// one: a problem, or a page for a browser. What an exception says stays in the log.
/// </summary>
public static partial class FailureAnswers
{
    public static IServiceCollection AddFailureAnswers(this IServiceCollection services)
    {
        services.Configure<RouteHandlerOptions>(o => o.ThrowOnBadRequest = true);
        services.ConfigureHttpJsonOptions(o => o.SerializerOptions.AllowDuplicateProperties = false);
        return services;
    }

    public static void UseFailureAnswers(this IApplicationBuilder app)
    {
        // One id in the answer, the log, the trail and the caller's own trace.
        app.Use((context, next) =>
        {
            context.TraceIdentifier = Activity.Current?.TraceId.ToString() ?? context.TraceIdentifier;
            return next(context);
        });
        app.UseExceptionHandler(new ExceptionHandlerOptions
        {
            ExceptionHandler = context => WriteAsync(context, Of(context, context.Features.Get<IExceptionHandlerFeature>()!.Error)),
            SuppressDiagnosticsCallback = _ => true, // logged below, with that id and only where it is the gateway's fault
        });
        app.UseStatusCodePages(bare => Of(bare.HttpContext.Response.StatusCode) is { } problem ? WriteAsync(bare.HttpContext, problem) : Task.CompletedTask);
    }

    /// <summary>As a page when a browser asked for one.</summary>
    public static Task WriteAsync(HttpContext context, ProblemHttpResult problem)
    {
        if (AsksForPage(context.Request) && problem.ProblemDetails is { Detail: { } detail, Extensions: var members } && members["code"] is string code)
        {
            return HelpPages.Problem(problem.StatusCode, code, detail).ExecuteAsync(context);
        }
        return problem.ExecuteAsync(context);
    }

    public static bool AsksForPage(HttpRequest request) => request.Headers.Accept.ToString().Contains("text/html", StringComparison.Ordinal);

    private static ProblemHttpResult Of(HttpContext context, Exception failure)
    {
        switch (failure)
        {
            case BadHttpRequestException { InnerException: AntiforgeryValidationException }:
                return Problems.FormOutOfDate();
            case BadHttpRequestException { InnerException: JsonException json }:
                return Problems.Malformed(json.Path is { } path
                    ? string.Create(CultureInfo.InvariantCulture, $"The JSON body cannot be read at {path}, line {json.LineNumber + 1}, byte {json.BytePositionInLine + 1}.")
                    : "The JSON body cannot be read.");
            case BadHttpRequestException { StatusCode: 400 } bad:
                return ParameterName().Match(bad.Message) is { Success: true } name
                    ? Problems.BadParameter($"The parameter {name.Groups[1].Value} has a value that it cannot have.")
                    : Problems.Malformed("The request needs a JSON object as its body.");
            case BadHttpRequestException bad:
                return Of(bad.StatusCode) ?? Problems.Malformed("The request cannot be read.");
            case CommitUnknownException:
                return Logged(context, failure, Problems.OutcomeUnknown());
            case PostgresException { SqlState: PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter }:
                return Problems.Malformed("A text of the request holds the character U+0000, which no text has.");
            case PostgresException { SqlState: PostgresErrorCodes.DiskFull }:
                return Logged(context, failure, Problems.StorageFull());
            case var _ when DatabaseFault.IsOutage(failure):
                return Logged(context, failure, Problems.Unavailable("The database does not answer. What was acknowledged is safe; repeat this request."));
            default:
                Failed(Log(context), failure, context.TraceIdentifier, context.Request.Method, context.GetEndpoint()?.DisplayName);
                return Problems.Failed(context.TraceIdentifier);
        }
    }

    /// <summary>Lost infrastructure: an answer that asks the client to come again.</summary>
    private static ProblemHttpResult Logged(HttpContext context, Exception failure, ProblemHttpResult answer)
    {
        AskToRetry(context.Response);
        Faulted(Log(context), failure, context.TraceIdentifier, context.Request.Method, context.GetEndpoint()?.DisplayName, answer.StatusCode);
        return answer;
    }

    /// <summary>Seconds; long enough for a restart, short enough for a line that waits.</summary>
    public static void AskToRetry(HttpResponse response) => response.Headers.RetryAfter = "2";

    private static ProblemHttpResult? Of(int status) => status switch
    {
        401 => Problems.Unauthorized(),
        403 => Problems.Forbidden(),
        404 => Problems.NotFound("such address"),
        405 => Problems.WrongMethod(),
        406 => Problems.NotAcceptable("None of the accepted forms can be answered."),
        413 => Problems.TooLarge(),
        415 => Problems.NotJson(),
        >= 500 => Problems.Unavailable("The gateway cannot answer now."),
        >= 400 => Problems.Malformed("The request cannot be read."),
        _ => null,
    };

    private static ILogger Log(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(FailureAnswers));

    [LoggerMessage(9001, LogLevel.Error, "Request {TraceId} failed: {Method} at {Endpoint}.")]
    private static partial void Failed(ILogger log, Exception failure, string traceId, string method, string? endpoint);

    [LoggerMessage(9002, LogLevel.Error, "Request {TraceId} was answered with {Status}: {Method} at {Endpoint}, the database failed.")]
    private static partial void Faulted(ILogger log, Exception failure, string traceId, string method, string? endpoint, int status);

    // The framework tells the parameter only in its sentence, with its type before the name.
    [GeneratedRegex("^Failed to bind parameter \"[^\"]* (\\w+)\"")]
    private static partial Regex ParameterName();
}
