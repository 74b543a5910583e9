using Epcis;
using Epcis.Formats;

namespace Gateway.MasterData;

/// <summary>A file of master data, of whichever form: CSV, or EPCIS with master data in its header, told apart by what it is.</summary>
public static class MasterDataFile
{
    /// <summary>Both in memory: a hundred thousand products are some 20 MB.</summary>
    public const int MaxBytes = 32 << 20;

    public const int MaxRecords = 100_000;

    /// <summary>What the file wants, or with error findings why it cannot be read.</summary>
    public static WantedMasterData Read(Stream file)
    {
        var wanted = new WantedMasterData();
        var first = FirstSignificantByte(file);
        file.Position = 0;
        if (first is (byte)'<' or (byte)'{' or 0xFE or 0xFF)
        {
            EpcisMasterData.Read(file, wanted);
        }
        else
        {
            CsvMasterData.Read(file, wanted);
        }
        if (!wanted.Findings.HasErrors && wanted.Products.Count + wanted.Locations.Count is var records && records is 0 or > MaxRecords)
        {
            wanted.Findings.Add(Unreadable(records == 0 ? "The file tells of no product and no location." : $"The file tells of {records} records; at most {MaxRecords} are taken at once.", new Place(1, 1)));
        }
        return wanted;
    }

    internal static Finding Unreadable(string message, Place where) => new("masterdata.file_unreadable", Severity.Error, message) { Where = where };

    // A byte order mark of UTF-8 is passed over; those of UTF-16 begin XML only.
    private static int FirstSignificantByte(Stream file)
    {
        int read;
        do
        {
            read = file.ReadByte();
        }
        while (read is 0xEF or 0xBB or 0xBF or ' ' or '\t' or '\r' or '\n');
        return read;
    }
}
