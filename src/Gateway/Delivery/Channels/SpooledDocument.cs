using Gateway.Database;

namespace Gateway.Delivery.Channels;

/// <summary>A stored document written to a file, its hash proved.</summary>
internal static class SpooledDocument
{
    /// <summary>Writes a new file that is on the disk when this returns; what fails leaves none.</summary>
    /// <exception cref="CorruptDocumentException">The stored bytes are not those that were captured.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static async Task WriteAsync(GatewayDatabase database, ClaimedDelivery delivery, string path, CancellationToken ct)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            using var content = new StoredDocumentContent(database, delivery);
            await content.CopyToAsync(file, ct);
            file.Flush(flushToDisk: true);
        }
        catch (HttpRequestException e) when (e.InnerException is IOException cause)
        {
            // As a request's body it would be the sending that failed; here it is what it is.
            File.Delete(path);
            throw cause is CorruptDocumentException ? new CorruptDocumentException(delivery.DocumentId) : new IOException(cause.Message, cause);
        }
        catch
        {
            File.Delete(path);
            throw;
        }
    }
}
