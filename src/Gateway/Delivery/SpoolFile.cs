namespace Gateway.Delivery;

/// <summary>Where a document is made before it is stored.</summary>
public static class SpoolFile
{
    /// <summary>Nobody else reads it, and nothing of it is left, whatever ends the process: it lives until it is closed.</summary>
    public static FileStream Open()
    {
        var path = Path.Combine(Path.GetTempPath(), $"gateway-{Guid.NewGuid():N}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, BufferSize = 1 << 16, Options = FileOptions.Asynchronous, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return file;
    }
}
