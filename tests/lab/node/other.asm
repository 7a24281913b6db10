; A second boot program, for the lab's own tests: another answer function, other BIOS services than the guest's.
;
; Assemble:  nasm -f bin -o other.bin other.asm
;
; Reads sector 2 of the first track (LBA 1) by cylinder, head and sector, turns every byte around (255 minus the
; byte) from the end to the beginning, writes that as LBA 2, says so by INT 14h, powers off by APM.

        bits 16
        cpu 8086
        org 0x7C00

IN_AT   equ 0x7E00
OUT_AT  equ 0x8000

        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7C00
        mov     [drive], dl
        mov     ax, 0x0201              ; read one sector
        mov     bx, IN_AT
        mov     cx, 0x0002              ; cylinder 0, sector 2
        mov     dh, 0
        int     0x13
        jc      off
        mov     si, IN_AT + 511
        mov     di, OUT_AT
        mov     cx, 512
turn:
        mov     al, [si]
        not     al
        mov     [di], al
        dec     si
        inc     di
        loop    turn
        mov     ax, 0x0301              ; write one sector
        mov     bx, OUT_AT
        mov     cx, 0x0003              ; cylinder 0, sector 3
        mov     dh, 0
        mov     dl, [drive]
        int     0x13
        jc      off
        mov     ax, 0x0100 + '!'        ; INT 14h: send a character
        xor     dx, dx
        int     0x14
off:
        mov     ax, 0x5301
        xor     bx, bx
        int     0x15
        mov     ax, 0x530E
        xor     bx, bx
        mov     cx, 0x0102
        int     0x15
        mov     ax, 0x5307
        mov     bx, 0x0001
        mov     cx, 0x0003
        int     0x15
asleep:
        hlt
        jmp     asleep

drive   db      0

        times 510 - ($ - $$) db 0
        dw      0xAA55
