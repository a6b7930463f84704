/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* hyper-firstboot.exe: a service of Windows that completes what hyper-guest has changed, and deletes itself.
 * See README.md. */

#include <winsock2.h>

#include <iphlpapi.h>
#include <stdarg.h>
#include <stdio.h>
#include <windows.h>

#include "firstboot/orders.h"

#define SERVICE "hyper-firstboot"
#define COMMAND_TIMEOUT (10 * 60 * 1000)
#define ADAPTERS_TIMEOUT_SECONDS 300
#define DISKS_MAX 256
#define LINE_MAX_SIZE (3 * MAX_PATH)

static char windows[MAX_PATH]; /* its directory */
static HANDLE log_file = INVALID_HANDLE_VALUE;
static SERVICE_STATUS_HANDLE service;

static void path_of(char ret[LINE_MAX_SIZE], const char *name) {
        snprintf(ret, LINE_MAX_SIZE, "%s\\%s", windows, name);
}

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...) {
        char line[LINE_MAX_SIZE];
        DWORD written;
        va_list ap;

        va_start(ap, format);
        int n = vsnprintf(line, sizeof(line) - 2, format, ap);
        va_end(ap);
        if (n < 0)
                return;
        n = (int) strlen(line);
        memcpy(line + n, "\r\n", 2);
        WriteFile(log_file, line, (DWORD) n + 2, &written, NULL);
}

/* A program of System32, whose output goes to the log. */
static void run(const char *program, const char *arguments) {
        STARTUPINFOA startup = { .cb = sizeof(startup),
                .dwFlags = STARTF_USESTDHANDLES,
                .hStdOutput = log_file,
                .hStdError = log_file };
        char path[LINE_MAX_SIZE], line[2 * LINE_MAX_SIZE];
        PROCESS_INFORMATION process;
        DWORD status = 0;

        snprintf(path, sizeof(path), "%s\\System32\\%s", windows, program);
        snprintf(line, sizeof(line), "\"%s\" %s", path, arguments);
        note("%s %s", program, arguments);
        if (!CreateProcessA(path, line, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, windows, &startup,
                            &process)) {
                note("Starting it failed: error %lu", GetLastError());
                return;
        }
        if (WaitForSingleObject(process.hProcess, COMMAND_TIMEOUT) != WAIT_OBJECT_0)
                TerminateProcess(process.hProcess, 1);
        else if (GetExitCodeProcess(process.hProcess, &status))
                note("Exit status %lu", status);
        CloseHandle(process.hThread);
        CloseHandle(process.hProcess);
}

/* --- disks ----------------------------------------------------------------------------------------- */

/* As winioctl.h of Windows has them. */
#define GET_ATTRIBUTES 0x000700f0
#define SET_ATTRIBUTES 0x0007c0f4
#define OFFLINE_OR_READ_ONLY 3u

typedef struct DiskAttributes {
        DWORD version, reserved;
        DWORDLONG attributes;
} DiskAttributes;

typedef struct NewDiskAttributes {
        DWORD version;
        BOOLEAN persist;
        BYTE reserved_1[3];
        DWORDLONG attributes, mask;
        DWORD reserved_2[4];
} NewDiskAttributes;

static void bring_online(unsigned number) {
        NewDiskAttributes online = {
                .version = sizeof(online), .persist = TRUE, .mask = OFFLINE_OR_READ_ONLY
        };
        DiskAttributes now = { 0 };
        char path[64];
        DWORD n;

        snprintf(path, sizeof(path), "\\\\.\\PhysicalDrive%u", number);
        HANDLE disk = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                        NULL, OPEN_EXISTING, 0, NULL);
        if (disk == INVALID_HANDLE_VALUE)
                return;
        if (DeviceIoControl(disk, GET_ATTRIBUTES, NULL, 0, &now, sizeof(now), &n, NULL) &&
                        (now.attributes & OFFLINE_OR_READ_ONLY)) {
                if (DeviceIoControl(disk, SET_ATTRIBUTES, &online, sizeof(online), NULL, 0, &n, NULL))
                        note("Disk %u was brought online", number);
                else
                        note("Bringing disk %u online failed: error %lu", number, GetLastError());
        }
        CloseHandle(disk);
}

/* --- drivers --------------------------------------------------------------------------------------- */

static void install_drivers(void) {
        char pattern[LINE_MAX_SIZE], arguments[LINE_MAX_SIZE];
        WIN32_FIND_DATAA found;

        path_of(pattern, "Drivers\\VirtIO\\*.inf");
        HANDLE search = FindFirstFileA(pattern, &found);
        if (search == INVALID_HANDLE_VALUE)
                return;
        /* The options of Windows 7, which later ones accept. */
        do {
                snprintf(arguments, sizeof(arguments), "-i -a \"%s\\Drivers\\VirtIO\\%s\"", windows,
                                found.cFileName);
                run("pnputil.exe", arguments);
        } while (FindNextFileA(search, &found));
        FindClose(search);
}

/* Linux, which wrote the files, has no permissions for them. */
static void reset_permissions(void) {
        static const char *const names[] = { "Drivers\\VirtIO", "System32\\drivers\\viostor.sys",
                "System32\\drivers\\vioscsi.sys" };

        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
                char path[LINE_MAX_SIZE], arguments[LINE_MAX_SIZE + 32];

                path_of(path, names[i]);
                if (GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES)
                        continue;
                snprintf(arguments, sizeof(arguments), "\"%s\" /reset /T /C /Q", path);
                run("icacls.exe", arguments);
        }
}

/* --- network --------------------------------------------------------------------------------------- */

static bool read_orders(FirstBootOrders *ret) {
        static char text[ORDERS_SIZE_MAX + 1];
        char path[LINE_MAX_SIZE];
        DWORD size = 0;

        path_of(path, SERVICE ".txt");
        HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
        if (file == INVALID_HANDLE_VALUE) {
                note("Opening %s failed: error %lu", path, GetLastError());
                return false;
        }
        bool done = ReadFile(file, text, ORDERS_SIZE_MAX, &size, NULL);
        CloseHandle(file);
        text[size] = 0;
        if (done && first_boot_orders_parse(text, ret))
                return true;
        note("%s is malformed", path);
        return false;
}

/* Ethernet only. */
static void add_adapter(
                const FirstBootOrders *o, const IP_ADAPTER_ADDRESSES *found, Adapter *list, size_t *n) {
        const BYTE *m = found->PhysicalAddress;
        Adapter *a = &list[*n];

        if (*n >= INTERFACES_MAX || found->IfType != IF_TYPE_ETHERNET_CSMACD ||
                        found->PhysicalAddressLength != 6 || orders_know(o, found->AdapterName))
                return;
        *a = (Adapter){ .index = found->IfIndex };
        snprintf(a->id, sizeof(a->id), "%s", found->AdapterName);
        snprintf(a->mac, sizeof(a->mac), "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4],
                        m[5]);
        (*n)++;
}

/* Those that the source did not have. */
static size_t list_adapters(const FirstBootOrders *o, Adapter *list) {
        static union {
                IP_ADAPTER_ADDRESSES first;
                char space[128 * 1024];
        } buffer;
        ULONG size = sizeof(buffer);
        size_t n = 0;

        if (GetAdaptersAddresses(AF_UNSPEC, GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST, NULL,
                            &buffer.first, &size) != ERROR_SUCCESS)
                return 0;
        for (const IP_ADAPTER_ADDRESSES *a = &buffer.first; a; a = a->Next)
                add_adapter(o, a, list, &n);
        return n;
}

static void configure(Adapter *a) {
        char command[COMMAND_MAX];

        if (!a->like) {
                note("The interface %s (%s) gets no configuration: no old one is known to be the same",
                                a->id, a->mac);
                return;
        }
        note("The interface %s (%s) is configured like %s", a->id, a->mac, a->like->id);
        for (size_t i = 0; orders_command(a, i, command); i++)
                run("netsh.exe", command);
}

/* Drivers that were just installed take a while. */
static void configure_network(const FirstBootOrders *o) {
        static Adapter adapters[INTERFACES_MAX];
        size_t n = 0;

        for (unsigned i = 0; i < ADAPTERS_TIMEOUT_SECONDS && n < o->n; i++) {
                if (i > 0)
                        Sleep(1000);
                n = list_adapters(o, adapters);
        }
        note("%u interfaces of the source, %u new ones", (unsigned) o->n, (unsigned) n);
        orders_assign(o, adapters, n);
        for (size_t i = 0; i < n; i++)
                configure(&adapters[i]);
}

/* --- the service ----------------------------------------------------------------------------------- */

static void work(void) {
        static FirstBootOrders orders;

        for (unsigned i = 0; i < DISKS_MAX; i++)
                bring_online(i);
        install_drivers();
        if (read_orders(&orders))
                configure_network(&orders);
        reset_permissions();
}

static void remove_service(void) {
        SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CONNECT);
        SC_HANDLE self = manager ? OpenServiceA(manager, SERVICE, DELETE) : NULL;
        char path[LINE_MAX_SIZE];

        if (!self || !DeleteService(self))
                note("Deleting the service failed: error %lu", GetLastError());
        if (self)
                CloseServiceHandle(self);
        if (manager)
                CloseServiceHandle(manager);
        path_of(path, SERVICE ".txt");
        DeleteFileA(path);
        /* It is running. */
        path_of(path, SERVICE ".exe");
        if (!MoveFileExA(path, NULL, MOVEFILE_DELAY_UNTIL_REBOOT))
                note("Deleting %s failed: error %lu", path, GetLastError());
}

static void open_log(void) {
        SECURITY_ATTRIBUTES inherited = { .nLength = sizeof(inherited), .bInheritHandle = TRUE };
        char path[LINE_MAX_SIZE];

        path_of(path, SERVICE ".log");
        log_file = CreateFileA(path, FILE_APPEND_DATA, FILE_SHARE_READ, &inherited, OPEN_ALWAYS,
                        FILE_ATTRIBUTE_NORMAL, NULL);
}

static void set_state(DWORD state) {
        SERVICE_STATUS status = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = state };

        SetServiceStatus(service, &status);
}

static DWORD WINAPI on_control(DWORD control, DWORD type, LPVOID data, LPVOID context) {
        return control == SERVICE_CONTROL_INTERROGATE ? NO_ERROR : ERROR_CALL_NOT_IMPLEMENTED;
}

static void WINAPI service_main(DWORD argc, LPSTR *argv) {
        service = RegisterServiceCtrlHandlerExA(SERVICE, on_control, NULL);
        if (!service)
                return;
        set_state(SERVICE_RUNNING);
        open_log();
        work();
        remove_service();
        note("Done");
        CloseHandle(log_file);
        set_state(SERVICE_STOPPED);
}

int main(void) {
        static char name[] = SERVICE;
        const SERVICE_TABLE_ENTRYA services[] = { { name, service_main }, { NULL, NULL } };

        if (GetSystemWindowsDirectoryA(windows, sizeof(windows)) == 0)
                return 1;
        if (!StartServiceCtrlDispatcherA(services)) {
                printf("hyper-firstboot.exe is a service that hyper installs in guests.\n");
                return 1;
        }
        return 0;
}
