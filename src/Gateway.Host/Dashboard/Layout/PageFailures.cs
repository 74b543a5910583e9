namespace Gateway.Host.Dashboard.Layout;

static partial class PageFailures
{
    [LoggerMessage(9003, LogLevel.Error, "Page {Address} failed while it was open, told as {TraceId}.")]
    public static partial void Failed(ILogger log, Exception failure, string traceId, string address);
}
